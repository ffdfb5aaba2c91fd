import ChatDomain
import Identity

/// Rooms in which users of one shard still count as present although the connection broke: as long as the grace period.
struct RetainedRooms {
    private var rooms: [UserID: [SessionID: SmallSet<RoomID>]] = [:]

    mutating func add(_ left: SmallSet<RoomID>, by session: SessionID, of user: UserID) {
        if !left.isEmpty { rooms[user, default: [:]][session] = left }
    }

    /// - Returns: whether the user has none any more.
    @discardableResult
    mutating func remove(_ session: SessionID, of user: UserID) -> Bool {
        rooms[user]?[session] = nil
        guard rooms[user]?.isEmpty == true else { return false }
        rooms[user] = nil
        return true
    }

    func rooms(of user: UserID) -> Set<RoomID> { (rooms[user]?.values).map { Set($0.joined()) } ?? [] }
}
