/// Live room traffic between instances. A hint, never the truth: what is lost here is read from the store.
///
/// Duties of every implementation:
/// - Deliver what other instances publish in a room this instance subscribes to; never what it published itself.
/// - Keep the order of one publisher within one room.
/// - Restore all subscriptions after a reconnect, and say `reconnected` when they stand again: whatever was published
///   meanwhile is lost, and the handler checks its rooms against the store.
/// - Never block the caller; what cannot be sent now is dropped and counted.
public protocol RoomBus: Sendable {
    /// Begins to deliver. Called once, before anything else; `handler` is called on a thread of the bus's own.
    func start(_ handler: @escaping @Sendable (RoomBusEvent) -> Void)
    /// Idempotent. Traffic comes some time later, and `subscribed` says from when on.
    func subscribe(_ room: RoomID)
    func unsubscribe(_ room: RoomID)
    /// Several at once, in order. `payload` is opaque here.
    func publish(_ items: [(room: RoomID, payload: [UInt8])])
    /// How many receive a room's traffic, this instance among them when it subscribes; nil where that is not known.
    func listeners(of room: RoomID) async -> Int?
    func close() async
}

public enum RoomBusEvent: Sendable {
    case received(RoomID, payload: [UInt8])
    /// The subscription is in force: from here on nothing published is missed while the connection holds.
    case subscribed(RoomID)
    /// The connection was lost; publications are dropped until `reconnected`.
    case disconnected(reason: String)
    /// Connected again, all subscriptions restored.
    case reconnected
}
