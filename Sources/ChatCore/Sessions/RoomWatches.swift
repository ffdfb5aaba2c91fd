import ChatDomain
import Identity

/// One shard's sessions that watch rooms. A room's state is kept once, however many sessions watch it.
final class RoomWatches {
    private struct Watch {
        var room = WatchedRoom(participants: [], isOpen: true)
        var sessions: [ObjectIdentifier: Session] = [:]
        /// Requests under way: the home shard may be taking this shard up just now.
        var asking = 0
    }

    private var watches: [RoomID: Watch] = [:]
    private var roomsByParticipant: [UserID: Set<RoomID>] = [:]
    private var roomsBySession: [ObjectIdentifier: Set<RoomID>] = [:]
    private let unused: (RoomID) -> Void
    private let follow: ([UserID]) -> Void
    private let unfollow: ([UserID]) -> Void

    /// - Parameters:
    ///   - unused: called when no session here watches a room any more.
    ///   - follow: called with users that are in no other watched room.
    ///   - unfollow: called with users that are in no watched room any more.
    init(
        unused: @escaping (RoomID) -> Void, follow: @escaping ([UserID]) -> Void,
        unfollow: @escaping ([UserID]) -> Void
    ) {
        (self.unused, self.follow, self.unfollow) = (unused, follow, unfollow)
    }

    // MARK: Watching sessions

    func isWatching(_ session: Session) -> Bool { roomsBySession[ObjectIdentifier(session)] != nil }

    /// - Throws: `bad_request` when the session would watch more rooms than it may.
    func beginAsking(for rooms: [RoomID], by session: Session) throws(ChatError) {
        let watched = roomsBySession[ObjectIdentifier(session)] ?? []
        guard watched.union(rooms).count <= WatchList.maximumRooms else {
            throw .badRequest("a connection may watch \(WatchList.maximumRooms) rooms at most")
        }
        for room in rooms { watches[room, default: Watch()].asking += 1 }
    }

    func endAsking(for rooms: [RoomID]) {
        for room in rooms {
            watches[room]?.asking -= 1
            forgetIfUnused(room)
        }
    }

    func add(_ session: Session, to rooms: [RoomID]) {
        for room in rooms { watches[room]?.sessions[ObjectIdentifier(session)] = session }
        roomsBySession[ObjectIdentifier(session), default: []].formUnion(rooms)
    }

    func remove(_ session: Session, from rooms: some Sequence<RoomID>) {
        let key = ObjectIdentifier(session)
        for room in rooms {
            roomsBySession[key]?.remove(room)
            watches[room]?.sessions[key] = nil
            forgetIfUnused(room)
        }
        if roomsBySession[key]?.isEmpty == true { roomsBySession[key] = nil }
    }

    func forget(_ session: Session) {
        guard let rooms = roomsBySession[ObjectIdentifier(session)] else { return }
        remove(session, from: rooms)
    }

    private func forgetIfUnused(_ room: RoomID) {
        guard let watch = watches[room], watch.sessions.isEmpty, watch.asking == 0 else { return }
        index(watch.room.participants, of: room, as: [])
        watches[room] = nil
        unused(room)
    }

    // MARK: Watched users

    func isWatched(_ user: UserID) -> Bool { roomsByParticipant[user] != nil }

    /// The sessions here that watch a room of this user's.
    func sessions(watching user: UserID) -> [ObjectIdentifier: Session] {
        var found: [ObjectIdentifier: Session] = [:]
        for room in roomsByParticipant[user] ?? [] { found.merge(watches[room]?.sessions ?? [:]) { $1 } }
        return found
    }

    func participants(of rooms: [RoomID]) -> Set<UserID> {
        rooms.reduce(into: []) { $0.formUnion(watches[$1]?.room.participants ?? []) }
    }

    /// Takes in how a room is now; nil when there is none any more.
    ///
    /// - Returns: the users that are new in it, and the sessions that see them.
    func update(_ id: RoomID, _ room: WatchedRoom?) -> (newcomers: Set<UserID>, watchers: [Session]) {
        guard let watch = watches[id] else { return ([], []) }
        let room = room ?? WatchedRoom(participants: [], isOpen: false)
        index(watch.room.participants, of: id, as: room.participants)
        watches[id]?.room = room
        if !room.isOpen {
            // A user that was removed sees no more of it.
            for session in watch.sessions.values {
                let mayStay = session.identity.map { room.participants.contains($0.userID) } ?? false
                if !mayStay { remove(session, from: [id]) }
            }
        }
        let newcomers = room.participants.subtracting(watch.room.participants)
        return (newcomers, watches[id].map { Array($0.sessions.values) } ?? [])
    }

    private func index(_ before: Set<UserID>, of room: RoomID, as after: Set<UserID>) {
        var ended: [UserID] = []
        for user in before.subtracting(after) {
            roomsByParticipant[user]?.remove(room)
            guard roomsByParticipant[user]?.isEmpty == true else { continue }
            roomsByParticipant[user] = nil
            ended.append(user)
        }
        var begun: [UserID] = []
        for user in after.subtracting(before) {
            if roomsByParticipant[user] == nil { begun.append(user) }
            roomsByParticipant[user, default: []].insert(room)
        }
        if !begun.isEmpty { follow(begun) }
        if !ended.isEmpty { unfollow(ended) }
    }
}
