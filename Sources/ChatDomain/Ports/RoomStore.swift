/// The durable truth about rooms. See `MessageStore` for the duties common to all store ports.
public protocol RoomStore: Sendable {
    /// The room, or nil when there is none or it was deleted.
    func room(_ id: RoomID) async throws(StoreError) -> RoomSnapshot?

    /// The people of each of these rooms that is there.
    func people(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: RoomPeople]

    /// Makes the room, or answers with the one that is already there (`created` false).
    ///
    /// Where a deleted room had this id, numbering continues and `historyBase` is set to its last number.
    func create(_ room: Room, participants: [UserID]) async throws(StoreError) -> (
        snapshot: RoomSnapshot, created: Bool
    )

    /// Changes what the room is; false when there is no such room.
    func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) async throws(StoreError) -> Bool

    /// Makes the room unreachable; its messages stay stored. False when there is no such room.
    func delete(_ id: RoomID, at time: Timestamp) async throws(StoreError) -> Bool

    /// False when there is no such room or it holds `limit` participants already.
    func add(_ user: UserID, to id: RoomID, limit: Int) async throws(StoreError) -> Bool

    /// False when there is no such room or the user was no participant.
    func remove(_ user: UserID, from id: RoomID) async throws(StoreError) -> Bool

    /// The rooms the user takes part in, the most lately active first, those behind `cursor`.
    func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) async throws(StoreError) -> [RoomSummary]

    /// How far `user` has read in `room`; 0 for never.
    func readMark(of user: UserID, in room: RoomID) async throws(StoreError) -> SequenceNumber

    /// How far the room's users have read, ordered by user (as bytes), those after `cursor`.
    func readMarks(
        in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [ReadMark]
}

extension RoomStore {
    /// The first page of the user's rooms.
    public func rooms(of user: UserID, limit: Int) async throws(StoreError) -> [RoomSummary] {
        try await rooms(of: user, after: .start, limit: limit)
    }

    /// One room after the other, for stores that have them at hand.
    public func people(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: RoomPeople] {
        var found: [RoomID: RoomPeople] = [:]
        for id in rooms {
            guard let snapshot = try await room(id) else { continue }
            found[id] = RoomPeople(participants: snapshot.participants, historyBase: snapshot.room.historyBase)
        }
        return found
    }
}
