/// An event of a subscriber.
public enum RedisSubscriberEvent: Hashable, Sendable {
    /// Connected, for the first time or again, with all subscriptions confirmed. Messages that were published before are lost.
    case connected
    case disconnected(reason: String)
    /// The answer to `subscribe`: no message that is published from here on is missed while the connection holds.
    case subscribed(channel: [UInt8])
    /// In a cluster: the channel is subscribed at another server now. Messages that were published meanwhile are lost; none is missed
    /// from here on while the connection holds.
    case moved(channel: [UInt8])
    case message(channel: [UInt8], payload: [UInt8])
}
