/// The words of classic or of sharded channels.
struct SubscriptionCommands: Sendable {
    let subscribe: RedisArgument
    let unsubscribe: RedisArgument
    /// The first words of what Redis sends.
    let subscribed: String
    let unsubscribed: String
    let message: String
    /// How many channels one command may name. Few enough that none keeps Redis busy for long; sharded channels of one command
    /// must be of one slot.
    let channelsPerCommand: Int

    static let classic = Self(
        subscribe: "SUBSCRIBE", unsubscribe: "UNSUBSCRIBE", subscribed: "subscribe", unsubscribed: "unsubscribe",
        message: "message", channelsPerCommand: 500)
    /// Redis 7.0 and later, in a cluster.
    static let sharded = Self(
        subscribe: "SSUBSCRIBE", unsubscribe: "SUNSUBSCRIBE", subscribed: "ssubscribe", unsubscribed: "sunsubscribe",
        message: "smessage", channelsPerCommand: 1)
}
