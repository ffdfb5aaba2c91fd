/// What a subscriber hears.
public enum RedisSubscriberEvent: Hashable, Sendable {
    /// Connected, for the first time or again, and everything wanted at that moment is subscribed. What was published
    /// before is lost.
    case connected
    case disconnected(reason: String)
    /// The answer to `subscribe`: nothing published from here on is missed while the connection holds.
    case subscribed(channel: [UInt8])
    case message(channel: [UInt8], payload: [UInt8])
}
