import ChatDomain
import Identity

/// Rooms in which users of one shard still count as present although the connection broke: as long as the grace period.
struct LingeringRooms {
    private var rooms: [UserID: [SessionID: SmallSet<RoomID>]] = [:]

    mutating func add(_ left: SmallSet<RoomID>, by session: SessionID, of user: UserID) {
        if !left.isEmpty { rooms[user, default: [:]][session] = left }
    }

    mutating func remove(_ session: SessionID, of user: UserID) {
        rooms[user]?[session] = nil
        if rooms[user]?.isEmpty == true { rooms[user] = nil }
    }

    func rooms(of user: UserID) -> Set<RoomID> { (rooms[user]?.values).map { Set($0.joined()) } ?? [] }
}

extension Session {
    /// Has all rooms of this session's user follow a status that was set: those of this shard before anything is answered.
    func showInRooms() {
        guard let user = identity?.userID else { return }
        registry.showInRooms(user)
        let others = Set(context.services.users.sessions(of: user).map(\.shard)).subtracting([context.index])
        for other in others { context.services.mailbox(other).post(.visibility(user)) }
    }
}
