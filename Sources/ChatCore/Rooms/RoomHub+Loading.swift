import ChatDomain
import Telemetry

/// Bringing rooms into memory, and into existence.
extension RoomHub {
    func load(_ id: RoomID) -> HomeRoom {
        let room = HomeRoom(id: id, compared: storeFailures)
        rooms[id] = room
        read(room)
        return room
    }

    private func read(_ room: HomeRoom) {
        let id = room.id
        room.isOutdated = false
        room.readAt = context.now.monotonic
        context.withStore({ (store) async throws(StoreError) in try await store.room(id) }) { [unowned self] in
            loaded($0, id)
        }
    }

    private func loaded(_ result: Result<RoomSnapshot?, StoreError>, _ id: RoomID) {
        guard let room = rooms[id], room.live == nil else { return }
        switch result {
        case .success where room.isOutdated: read(room)
        case .success(let snapshot?): open(room, snapshot)
        case .success(nil): makeOrRefuse(room)
        case .failure(let error):
            services.storeTrouble.warning("room not loaded", ["reason": "\(error)"])
            abandon(room, .storageUnavailable)
        }
    }

    private func open(_ room: HomeRoom, _ snapshot: RoomSnapshot) {
        room.live = LiveRoom(snapshot, limits: services.configuration.roomLimits)
        let waiting = room.waiting
        room.waiting = []
        // By id: one of them may delete the room, and those behind it mean the next one.
        for command in waiting { dispatch(command, in: room.id) }
        followUp(room)
    }

    private func abandon(_ room: HomeRoom, _ error: ChatError) {
        rooms[room.id] = nil
        for command in room.waiting { refuse(command, error) }
    }

    /// Nobody has made this room: the first command that may, does; those before it are refused. Who makes an open room by
    /// joining it is its first participant.
    private func makeOrRefuse(_ room: HomeRoom) {
        var refusal = ChatError.roomUnavailable
        let first = room.waiting.firstIndex { command in
            guard mayMake(room.id, command), let user = command.author else { return false }
            do throws(ChatError) { try services.limits.countRoom(of: user, at: context.now.monotonic) } catch {
                refusal = error
                return false
            }
            return true
        }
        guard let index = first, let maker = room.waiting[index].author else { return abandon(room, refusal) }
        for command in room.waiting[..<index] { refuse(command, .roomUnavailable) }
        room.waiting.removeFirst(index)
        let now = context.now.wall
        let id = room.id
        let direct = DirectRoom.participants(of: id)
        let value = Room(id: id, kind: direct == nil ? .group : .direct, isPrivate: direct != nil, createdAt: now)
        let participants = direct.map { [$0.0, $0.1] } ?? [maker]
        context.withStore({ (store) async throws(StoreError) in
            try await store.create(value, participants: participants).snapshot
        }) { [unowned self] result in
            guard let room = rooms[id], room.live == nil else { return }
            switch result {
            case .success where room.isOutdated: read(room)
            case .success(let snapshot): open(room, snapshot)
            case .failure(let error):
                services.storeTrouble.warning("room not made", ["reason": "\(error)"])
                abandon(room, .storageUnavailable)
            }
        }
    }

    /// A direct room comes to exist by the first join or send of one of its two, an open group by a join.
    private func mayMake(_ id: RoomID, _ command: RoomCommand) -> Bool {
        guard let user = command.author else { return false }
        if case .send = command, !DirectRoom.isDirect(id) { return false }
        guard DirectRoom.isDirect(id) else { return services.configuration.createsRoomsOnJoin }
        return DirectRoom.participants(of: id).map { $0.0 == user || $0.1 == user } ?? false
    }
}

extension RoomCommand {
    /// Who may bring a room into existence by this: one who joins, and who sends without having joined.
    fileprivate var author: UserID? {
        switch self {
        case .join(_, _, let user, _, _): user.userID
        case .send(nil, _, _, let author, _): author.userID
        default: nil
        }
    }
}
