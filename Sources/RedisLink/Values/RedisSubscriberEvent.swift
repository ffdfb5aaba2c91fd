/// An event of a subscriber.
public enum RedisSubscriberEvent: Hashable, Sendable {
    /// Connected, for the first time or again, with all subscriptions confirmed. Messages that were published before are lost.
    case connected
    case disconnected(reason: String)
    /// The answer to `subscribe`: no message that is published from here on is missed while the connection holds.
    case subscribed(channel: [UInt8])
    case message(channel: [UInt8], payload: [UInt8])
}
