public import ChatDomain
import RedisLink
import Synchronization

/// This instance's sessions and their places in rooms, told to Redis in the order of the calls.
extension RedisDirectory {
    private static let maximumGone = 10_000

    public func connect(_ record: SessionRecord, completion: @escaping @Sendable ([SessionRecord]) -> Void) {
        let user = record.user.userID
        let local: [SessionRecord]? = state.withLock { state in
            let outcome = state.own.connect(record, limit: state.isLinked ? 0 : maximumSessions, at: record.connectedAt)
            guard state.isLinked else {
                notifyLocally(outcome.change, in: state)
                return outcome.evicted
            }
            send(connection(of: record, limit: maximumSessions, at: record.connectedAt)) { [self] reply in
                let evicted = taken(reply, user: user)
                if let requestedStatus = reply.array?.first?.text.flatMap(PresenceStatus.init),
                    requestedStatus != record.requestedStatus
                {
                    adopt(requestedStatus, of: record.id, user)
                }
                completion(evicted)
            } failed: {
                completion([])
            }
            return nil
        }
        if let local { completion(local) }
    }

    public func update(_ session: SessionID, of user: UserID, _ update: SessionUpdate, at now: Timestamp) {
        state.withLock { state in
            let change = state.own.update(session, of: user, update, at: now)
            guard state.isLinked else { return notifyLocally(change, in: state) }
            let (what, value) = Self.words(update)
            let command = RedisCommand.script(
                scripts.update, keys: [],
                arguments: [
                    RedisArgument(instance.value), RedisArgument(user.value), RedisArgument(session.value), what,
                    value, RedisArgument(now.milliseconds), RedisArgument(now.iso8601),
                ])
            guard case .requestedStatus = update else { return send(command) }
            state.wishing[user, default: 0] += 1
            send(command) { [self] _ in
                wishTold(of: user)
            } failed: { [self] in
                wishTold(of: user)
            }
        }
    }

    private func wishTold(of user: UserID) {
        state.withLock { state in
            let left = (state.wishing[user] ?? 1) - 1
            state.wishing[user] = left > 0 ? left : nil
        }
    }

    public func remove(_ session: SessionID, of user: UserID, at now: Timestamp) {
        state.withLock { state in
            let change = state.own.remove(session, of: user, at: now)
            guard state.isLinked else {
                noteGone(session, user, in: &state)
                return notifyLocally(change, in: state)
            }
            send(removal(of: session, user, at: now)) { _ in
            } failed: { [self] in
                self.state.withLock { noteGone(session, user, in: &$0) }
            }
        }
    }

    public func setPresent(_ user: UserID, in room: RoomID, _ isPresent: Bool) {
        state.withLock { state in
            let place = RoomPlace(room: room, user: user)
            if isPresent { state.rooms.insert(place) } else { state.rooms.remove(place) }
            guard !state.isLinked else { return send(self.place(place, isPresent)) }
            if isPresent { state.leftRooms.remove(place) } else { state.leftRooms.insert(place) }
        }
    }

    private func noteGone(_ session: SessionID, _ user: UserID, in state: inout State) {
        if state.gone.count < Self.maximumGone { state.gone[session] = user }
    }

    /// What the sessions of other instances make of one here.
    private func adopt(_ requestedStatus: PresenceStatus, of session: SessionID, _ user: UserID) {
        let now = clock().wall
        state.withLock { _ = $0.own.update(session, of: user, .requestedStatus(requestedStatus), at: now) }
    }
}
