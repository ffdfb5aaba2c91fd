import ChatDomain
import RedisLink
import Synchronization
import Telemetry

/// What has to be looked after now and then: the lease, dead instances, the lifetime of keys, what was heard.
extension RedisDirectory {
    /// Sessions, or places in rooms, told at once: less than a connection may have under way.
    private static let toldAtOnce = 1000

    /// Renews the lease, and looks after what has to be looked after now and then.
    func beat() async {
        guard client.state == .connected, isHearing else {
            unlink()
            return isolateWhenDue()
        }
        let began = clock().monotonic
        let arguments = [RedisArgument(instance.value), RedisArgument(Self.lease)]
        guard let answer = try? await client.run(scripts.lease, keys: [], arguments: arguments).array,
            let held = answer.first?.integer
        else {
            state.withLock { $0.watch.lost() }
            unlink()
            return isolateWhenDue()
        }
        let now = clock()
        let (isLinked, mayJudge) = state.withLock { state in
            state.watch.renewed(held: held == 1, at: now.monotonic)
            state.others = answer.dropFirst().first?.integer.flatMap { Int(exactly: $0) } ?? 0
            if held != 1, state.wasLinked { state.handler?(.lapsed) }
            return (state.isLinked && held == 1, state.watch.mayJudge(at: now.monotonic))
        }
        if !isLinked, await !link() { return isolateWhenDue() }
        proveContact(began: began)
        if mayJudge { for dead in answer.dropFirst(2) { await sweep(dead.text) } }
        renewSlice(at: now.monotonic)
        await reconcileWhenDue(at: now.monotonic)
        await compareWhenDue(at: now.monotonic)
    }

    /// Whether what others tell comes here, or did a moment ago.
    private var isHearing: Bool {
        let now = clock().monotonic
        return state.withLock { $0.deafSince.map { now - $0 < Self.deafness } ?? true }
    }

    /// Tells Redis of everything there is here, a slice at a time. What happens from now on goes behind it on the same
    /// connection; what happens to a session that was not told yet is in its record when it is.
    ///
    /// - Returns: false when Redis did not take all of it.
    private func link() async -> Bool {
        let now = clock()
        let (sessions, places) = state.withLock { state in
            state.isLinked = true
            state.comparedAt = nil
            // What an earlier life of this instance left has the time of a lease, or of a grace period, to come back.
            state.reconciliation = now.monotonic + max(Self.lease, grace)
            defer { (state.gone, state.leftRooms) = ([:], []) }
            for (session, user) in state.gone { send(removal(of: session, user, at: now.wall)) }
            for each in state.leftRooms { send(place(each, false)) }
            return (state.own.records.map(\.id), Array(state.rooms))
        }
        for start in stride(from: 0, to: sessions.count, by: Self.toldAtOnce) {
            let slice = Set(sessions[start..<min(start + Self.toldAtOnce, sessions.count)])
            guard
                await told({ state in
                    state.own.records.filter { slice.contains($0.id) }
                        .map { self.connection(of: $0, limit: -1, at: now.wall) }
                })
            else { return false }
        }
        for start in stride(from: 0, to: places.count, by: Self.toldAtOnce) {
            let slice = places[start..<min(start + Self.toldAtOnce, places.count)]
            guard await told({ state in slice.filter(state.rooms.contains).map { self.place($0, true) } }) else {
                return false
            }
        }
        return state.withLock { state in
            guard state.isLinked else { return false }
            state.isIsolated = false
            state.wasLinked = true
            state.downSince = nil
            return true
        }
    }

    /// Whether Redis took all of these, which are made and sent in one step; one refusal is enough to have to begin again.
    private func told(_ commands: @Sendable (borrowing State) -> [RedisCommand]) async -> Bool {
        let failure: RedisError? = await withCheckedContinuation { continuation in
            state.withLock { state in
                client.perform(commands(state)) { replies in
                    continuation.resume(returning: replies.lazy.compactMap(\.failure).first)
                }
            }
        }
        guard let failure else { return true }
        trouble.warning("presence not told", ["reason": "\(failure)"])
        unlink()
        return false
    }

    private func sweep(_ name: String?) async {
        guard let name else { return }
        repeat {
            let now = clock().wall
            let arguments: [RedisArgument] = [
                RedisArgument(instance.value), RedisArgument(name), 200, RedisArgument(now.milliseconds),
                RedisArgument(now.iso8601),
            ]
            let left = try? await client.run(scripts.sweep, keys: [], arguments: arguments).integer
            guard left == 1 else { return }
        } while !Task.isCancelled
    }

    /// Leaves what lingers to the grace of the others, or takes it out where there is nobody else.
    func leave() async {
        let rest = [RedisArgument(instance.value), RedisArgument(grace)]
        let others = try? await client.run(scripts.lease, keys: [], arguments: rest).array?.dropFirst().first
        guard others?.integer == 0 else { return }
        await sweep(instance.value)
        state.withLock { state in
            for var presence in state.own.all {
                (presence.actualStatus, presence.sessions) = (.offline, 0)
                notifyLocally(presence, in: state)
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
                send(removal(of: SessionID(id), user, at: time))
            }
            for each in rooms.compactMap({ $0.text.flatMap(RoomPlace.init) }) where !state.rooms.contains(each) {
                send(place(each, false))
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
            .script(scripts.renew, keys: [], arguments: users.map { RedisArgument($0.value) })
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

extension Result {
    fileprivate var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
