public import ChatDomain
public import RedisLink
import Synchronization
public import Telemetry

/// The sessions of all instances in Redis, each under its instance's lease; what others read there is derived by scripts.
///
/// This instance's own sessions are kept in memory too. They are told again whenever Redis lost them or was away; meanwhile
/// presence goes on with this instance's users, and after `isolation` with them only.
public final class RedisDirectory: SessionDirectory {
    static let lease: Int64 = 10_000
    private static let heartbeat: Duration = .milliseconds(2500)
    /// After this long without Redis the users of other instances are no longer shown, in milliseconds.
    private static let isolation: Int64 = 15_000
    /// How often what was heard is compared with what is, in milliseconds.
    private static let comparison: Int64 = 30_000

    struct State {
        var own = PresenceTable()
        var rooms: Set<RoomPlace> = []
        /// Sessions that went while Redis could not be told.
        var gone: [SessionID: UserID] = [:]
        var leftRooms: Set<RoomPlace> = []
        /// Whether what happens here is told to Redis, and comes back from there.
        var isLinked = false
        var isIsolated = false
        var downSince: Moment?
        var comparedAt: Moment?
        var watch = LeaseWatch(period: RedisDirectory.lease)
        /// Users whose keys are still to get another lifetime in this round.
        var unrenewed: [UserID] = []
        var roundEnds = Moment(milliseconds: .min)
        /// What is heard while everybody is read.
        var heardWhileReading: [DirectoryEvent]?
        var handler: (@Sendable (DirectoryEvent) -> Void)?
        var heart: Task<Void, Never>?
        var subscriber: RedisSubscriber?
    }

    struct RoomPlace: Hashable {
        var room: RoomID
        var user: UserID
    }

    let instance: InstanceID
    let client: RedisClient
    let state = Mutex(State())
    private let endpoint: RedisEndpoint
    private let maximumSessions: Int
    let clock: @Sendable () -> Now
    private let trouble: OccasionalLogger

    /// - Parameters:
    ///   - client: stays the caller's to close.
    ///   - endpoint: where to subscribe: the same server.
    ///   - maximumSessions: sessions a user may have on all instances; the oldest gives way. 0 for no limit.
    public init(
        instance: InstanceID, client: RedisClient, endpoint: RedisEndpoint, maximumSessions: Int,
        clock: @escaping @Sendable () -> Now, logger: Logger
    ) {
        self.instance = instance
        self.client = client
        self.endpoint = endpoint
        self.maximumSessions = maximumSessions
        self.clock = clock
        trouble = OccasionalLogger(logger)
    }

    public func start(_ handler: @escaping @Sendable (DirectoryEvent) -> Void) {
        let subscriber = RedisSubscriber(endpoint) { [weak self] in self?.heard($0) }
        state.withLock { state in
            state.handler = handler
            state.subscriber = subscriber
            state.downSince = clock().monotonic
            state.heart = Task { [weak self] in
                while !Task.isCancelled {
                    await self?.beat()
                    try? await Task.sleep(for: Self.heartbeat)
                }
            }
        }
        subscriber.subscribe([Channels.presence, Channels.everyone, Channels.inbox(of: instance)])
        client.observe { [weak self] connection in
            guard connection != .connected else {
                Task { await self?.beat() }
                return
            }
            self?.unlink()
        }
    }

    // MARK: Sessions

    public func connect(_ record: SessionRecord, completion: @escaping @Sendable ([SessionRecord]) -> Void) {
        let user = record.user.userID
        let local: [SessionRecord]? = state.withLock { state in
            let outcome = state.own.connect(record, limit: state.isLinked ? 0 : maximumSessions, at: record.connectedAt)
            guard state.isLinked else {
                tellAlone(outcome.change, in: state)
                return outcome.evicted
            }
            tell(connection(of: record, limit: maximumSessions, at: record.connectedAt)) { [self] reply in
                let evicted = taken(reply, user: user)
                if let wish = reply.array?.first?.text.flatMap(PresenceStatus.init), wish != record.wish {
                    adopt(wish, of: record.id, user)
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
            guard state.isLinked else { return tellAlone(change, in: state) }
            let (what, value) = Self.words(update)
            tell(
                .script(
                    PresenceScripts.update, keys: [],
                    arguments: [
                        RedisArgument(instance.value), RedisArgument(user.value), RedisArgument(session.value), what,
                        value, RedisArgument(now.milliseconds), RedisArgument(now.iso8601),
                    ]))
        }
    }

    public func remove(_ session: SessionID, of user: UserID, at now: Timestamp) {
        state.withLock { state in
            let change = state.own.remove(session, of: user, at: now)
            guard state.isLinked else {
                state.gone[session] = user
                return tellAlone(change, in: state)
            }
            tell(removal(of: session, user, at: now)) { _ in
            } failed: { [self] in
                noteGone(session, user)
            }
        }
    }

    public func sharedFriends(of user: UserID) async -> Set<UserID> {
        guard let members = try? await client.send(["SMEMBERS", "user:friends:\(user.value)"]).array else { return [] }
        return Set(members.compactMap { $0.text.flatMap { try? UserID(validating: $0, field: "friend") } })
    }

    public func setPresent(_ user: UserID, in room: RoomID, _ isPresent: Bool) {
        state.withLock { state in
            let place = RoomPlace(room: room, user: user)
            if isPresent { state.rooms.insert(place) } else { state.rooms.remove(place) }
            guard !state.isLinked else { return tell(self.place(place, isPresent)) }
            if isPresent { state.leftRooms.remove(place) } else { state.leftRooms.insert(place) }
        }
    }

    public func send(_ payload: [UInt8], to instance: InstanceID?) {
        let channel = instance.map { Channels.inbox(of: $0) } ?? Channels.everyone
        let envelope = Array(self.instance.value.utf8) + [0] + payload
        client.perform([["PUBLISH", RedisArgument(channel), RedisArgument(envelope)]])
    }

    public func close() async {
        let (heart, subscriber) = state.withLock { state in
            defer { state.isLinked = false }
            return (state.heart, state.subscriber)
        }
        heart?.cancel()
        await heart?.value
        await leave()
        await subscriber?.close()
    }

    // MARK: Redis is away

    private func unlink() {
        state.withLock { state in
            state.isLinked = false
            state.downSince = state.downSince ?? clock().monotonic
        }
    }

    /// By itself an instance tells itself.
    private func tellAlone(_ change: UserPresence?, in state: borrowing State) {
        if let change { state.handler?(.changed(change, origin: instance)) }
    }

    func isolateWhenDue() {
        let now = clock().monotonic
        state.withLock { state in
            guard !state.isLinked, !state.isIsolated, let since = state.downSince, now - since >= Self.isolation else {
                return
            }
            state.isIsolated = true
            state.handler?(.everybody(state.own.all, isComplete: true))
        }
    }

    // MARK: The heart

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
    private func leave() async {
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

    // MARK: Commands

    /// Sends in the order of the calls. A failure means that Redis has to be told everything again.
    private func tell(
        _ command: RedisCommand, then: @escaping @Sendable (RedisValue) -> Void = { _ in },
        failed: @escaping @Sendable () -> Void = {}
    ) {
        client.perform([command]) { [weak self] replies in
            switch replies[0] {
            case .success(let reply): then(reply)
            case .failure(let error):
                self?.trouble.warning("presence not told", ["reason": "\(error)"])
                failed()
                self?.unlink()
            }
        }
    }

    private func connection(of record: SessionRecord, limit: Int, at now: Timestamp) -> RedisCommand {
        .script(
            PresenceScripts.connect, keys: [],
            arguments: [
                RedisArgument(instance.value), RedisArgument(record.user.userID.value), RedisArgument(record.id.value),
                RedisArgument(PresenceCodec.encode(record)), RedisArgument(limit), RedisArgument(now.milliseconds),
                RedisArgument(now.iso8601),
            ])
    }

    private func removal(of session: SessionID, _ user: UserID, at now: Timestamp) -> RedisCommand {
        .script(
            PresenceScripts.remove, keys: [],
            arguments: [
                RedisArgument(instance.value), RedisArgument(user.value), RedisArgument(session.value),
                RedisArgument(now.milliseconds), RedisArgument(now.iso8601),
            ])
    }

    private func place(_ place: RoomPlace, _ isPresent: Bool) -> RedisCommand {
        .script(
            PresenceScripts.room, keys: [],
            arguments: [
                RedisArgument(instance.value), RedisArgument(place.room.value), RedisArgument(place.user.value),
                isPresent ? 1 : 0,
            ])
    }

    private static func words(_ update: SessionUpdate) -> (RedisArgument, RedisArgument) {
        switch update {
        case .wish(let status): ("wish", RedisArgument(status.rawValue))
        case .idle(let isIdle): ("idle", isIdle ? 1 : 0)
        case .active: ("active", "")
        case .renamed(let name): ("name", RedisArgument(name))
        case .lingering: ("lingering", "")
        }
    }

    private func taken(_ reply: RedisValue, user: UserID) -> [SessionRecord] {
        let flat = reply.array?.dropFirst().map { $0 } ?? []
        return stride(from: 0, to: flat.count - 1, by: 2).compactMap { index in
            guard let id = flat[index].text, let bytes = flat[index + 1].bytes else { return nil }
            return PresenceCodec.record(SessionID(id), of: user, bytes)?.record
        }
    }

    private func noteGone(_ session: SessionID, _ user: UserID) { state.withLock { $0.gone[session] = user } }

    /// What the sessions of other instances make of one here.
    private func adopt(_ wish: PresenceStatus, of session: SessionID, _ user: UserID) {
        let now = clock().wall
        state.withLock { _ = $0.own.update(session, of: user, .wish(wish), at: now) }
    }
}
