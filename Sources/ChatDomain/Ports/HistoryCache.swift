/// The newest messages of rooms, kept outside the process for all instances and for other services. Derived from the
/// store and thrown away at the least doubt: an answer from here is exactly what the store would say, or none.
public protocol HistoryCache: Sendable {
    /// Adds a part of the room's log that was just delivered, in order. Messages are kept only when they continue what is held; else the
    /// list begins anew. A change removes what is held.
    func append(_ entries: [RoomLogEntry], to room: RoomID)
    /// The page, when the whole of it is held and the list reaches `newest`, the newest number known; else nil.
    func history(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> HistoryPage?
    /// Puts the newest messages, read from the store, in place of what is held; ignored when that has got further.
    ///
    /// - Parameter sequence: the number of a message or a change: the messages have every change up to it.
    func fill(_ room: RoomID, with newest: [Message], upTo sequence: SequenceNumber)
    /// Removes what is held of a room in which a message has changed, and keeps out what was read before.
    ///
    /// - Parameters:
    ///   - sequence: the change's number.
    ///   - completion: called when that is done, or failed, on any thread.
    func noteChange(_ sequence: SequenceNumber, in room: RoomID, completion: @escaping @Sendable () -> Void)
    func drop(_ room: RoomID)
}
