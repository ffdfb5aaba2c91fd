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

extension ShardCore {
    /// Has the rooms of a user's sessions here look again whether others may know of the user.
    func showInRooms(_ user: UserID) {
        var rooms = lingering.rooms(of: user)
        for address in services.users.sessions(of: user) where address.shard == index {
            rooms.formUnion(sessions[address]?.rooms ?? SmallSet())
        }
        for room in rooms { post(.room(room, .visibility(user)), to: services.home(of: room)) }
    }
}

extension Session {
    /// Has all rooms of this session's user follow a status that was set: those of this shard before anything is answered.
    func showInRooms() {
        guard let user = identity?.userID else { return }
        shard.showInRooms(user)
        let others = Set(shard.services.users.sessions(of: user).map(\.shard)).subtracting([shard.index])
        for other in others { shard.services.mailbox(other).post(.visibility(user)) }
    }
}
