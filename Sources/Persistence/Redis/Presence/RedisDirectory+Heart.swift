import ChatDomain
import RedisLink
import Synchronization

/// What has to be looked after now and then: the lease, dead instances, the lifetime of keys, what was heard.
extension RedisDirectory {
    /// Renews the lease, and looks after what has to be looked after now and then.
    func beat() async {
        guard client.state == .connected else { return isolateWhenDue() }
        let arguments = [RedisArgument(instance.value), RedisArgument(Self.lease)]
        guard let answer = try? await client.run(PresenceScripts.lease, keys: [], arguments: arguments).array,
            let held = answer.first?.integer
        else {
            state.withLock { $0.watch.lost() }
            unlink()
            return isolateWhenDue()
        }
        let now = clock()
        let (isLinked, mayJudge) = state.withLock { state in
            state.watch.renewed(held: held == 1, at: now.monotonic)
            return (state.isLinked && held == 1, state.watch.mayJudge(at: now.monotonic))
        }
        if !isLinked { link() }
        if mayJudge { for dead in answer.dropFirst(2) { await sweep(dead.text) } }
        renewSlice(at: now.monotonic)
        await reconcileWhenDue(at: now.monotonic)
        await compareWhenDue(at: now.monotonic)
    }

    /// Tells Redis of everything there is here. What happens from now on goes behind it on the same connection.
    private func link() {
        let now = clock()
        state.withLock { state in
            state.isLinked = true
            state.isIsolated = false
            state.downSince = nil
            state.comparedAt = nil
            // What an earlier life of this instance left has the time of a lease to come back.
            state.reconciliation = now.monotonic + Self.lease
            for record in state.own.records { tell(connection(of: record, limit: -1, at: now.wall)) }
            for (session, user) in state.gone { tell(removal(of: session, user, at: now.wall)) }
            state.gone = [:]
            for each in state.leftRooms { tell(place(each, false)) }
            state.leftRooms = []
            for each in state.rooms { tell(place(each, true)) }
        }
    }

    private func sweep(_ name: String?) async {
        guard let name else { return }
        repeat {
            let now = clock().wall
            let arguments: [RedisArgument] = [
                RedisArgument(instance.value), RedisArgument(name), 200, RedisArgument(now.milliseconds),
                RedisArgument(now.iso8601),
            ]
            let left = try? await client.run(PresenceScripts.sweep, keys: [], arguments: arguments).integer
            guard left == 1 else { return }
        } while !Task.isCancelled
    }

    /// Leaves what lingers to the grace of the others, or takes it out where there is nobody else.
    func leave() async {
        let grace: [RedisArgument] = [RedisArgument(instance.value), 5000]
        let others = try? await client.run(PresenceScripts.lease, keys: [], arguments: grace).array?.dropFirst().first
        guard others?.integer == 0 else { return }
        await sweep(instance.value)
        state.withLock { state in
            for var presence in state.own.all {
                (presence.own, presence.sessions) = (.offline, 0)
                tellAlone(presence, in: state)
            }
        }
    }

    /// Takes out what Redis has under this instance's name and this instance does not: an earlier life under the same name
    /// ended too suddenly to do it, and began again before its lease was over.
    private func reconcileWhenDue(at now: Moment) async {
        let isDue = state.withLock { state in
            guard state.isLinked, let due = state.reconciliation, now >= due else { return false }
            state.reconciliation = nil
            return true
        }
        guard isDue else { return }
        guard let sessions = try? await client.send(["HGETALL", Keys.sessions(of: instance)]).array,
            let rooms = try? await client.send(["SMEMBERS", Keys.rooms(of: instance)]).array
        else { return state.withLock { $0.reconciliation = now } }
        let time = clock().wall
        state.withLock { state in
            guard state.isLinked else { return }
            let own = Set(state.own.records.map(\.id))
            for index in stride(from: 0, to: sessions.count - 1, by: 2) {
                guard let id = sessions[index].text, !own.contains(SessionID(id)),
                    let user = sessions[index + 1].text.flatMap({ try? UserID(validating: $0, field: "userId") })
                else { continue }
                tell(removal(of: SessionID(id), user, at: time))
            }
            for each in rooms.compactMap({ $0.text.flatMap(RoomPlace.init) }) where !state.rooms.contains(each) {
                tell(place(each, false))
            }
        }
    }

    /// The derived keys live an hour; a round over this instance's users takes half of that.
    private func renewSlice(at now: Moment) {
        let users = state.withLock { state -> [UserID] in
            if state.unrenewed.isEmpty, now >= state.roundEnds {
                state.unrenewed = state.own.all.map(\.user.userID)
                state.roundEnds = now + 1_800_000
            }
            let left = max((state.roundEnds - now) / 2500, 1)
            let count = min(state.unrenewed.count, max(Int(Int64(state.unrenewed.count) / left), 20))
            defer { state.unrenewed.removeLast(count) }
            return Array(state.unrenewed.suffix(count))
        }
        guard !users.isEmpty else { return }
        client.perform([
            .script(PresenceScripts.renew, keys: [], arguments: users.map { RedisArgument($0.value) })
        ])
    }

    private func compareWhenDue(at now: Moment) async {
        let isDue = state.withLock { state in
            guard state.isLinked, state.comparedAt.map({ now - $0 >= Self.comparison }) ?? true else { return false }
            state.comparedAt = now
            return true
        }
        if isDue { await readEverybody() }
    }
}
