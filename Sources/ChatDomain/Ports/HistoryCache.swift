/// The newest messages of rooms, kept outside the process for all instances and for other services. Derived from the
/// store and thrown away at the least doubt: an answer from here is exactly what the store would say, or none.
public protocol HistoryCache: Sendable {
    /// Adds messages and changes just delivered, in order. Kept only when they continue what is held; else the room's list is
    /// dropped.
    func append(_ entries: [RoomLogEntry], to room: RoomID)
    /// The page, when the whole of it is held and the list reaches `newest`, the newest number known; else nil.
    func history(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> HistoryPage?
    /// Puts the newest messages, read from the store, in place of what is held; ignored when that has got further.
    func fill(_ room: RoomID, with newest: [Message])
    func drop(_ room: RoomID)
}
