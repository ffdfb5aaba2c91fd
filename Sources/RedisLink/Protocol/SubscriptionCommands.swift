/// The words of classic or of sharded channels.
struct SubscriptionCommands: Sendable {
    let subscribe: RedisArgument
    let unsubscribe: RedisArgument
    /// The first words of what Redis sends.
    let subscribed: [UInt8]
    let unsubscribed: [UInt8]
    let message: [UInt8]
    /// How many channels one command may name. Few enough that none keeps Redis busy for long; sharded channels of one command
    /// must be of one slot.
    let channelsPerCommand: Int

    static let classic = Self(
        subscribe: "SUBSCRIBE", unsubscribe: "UNSUBSCRIBE", subscribed: Array("subscribe".utf8),
        unsubscribed: Array("unsubscribe".utf8), message: Array("message".utf8), channelsPerCommand: 500)
    /// Redis 7.0 and later, in a cluster.
    static let sharded = Self(
        subscribe: "SSUBSCRIBE", unsubscribe: "SUNSUBSCRIBE", subscribed: Array("ssubscribe".utf8),
        unsubscribed: Array("sunsubscribe".utf8), message: Array("smessage".utf8), channelsPerCommand: 1)
}
