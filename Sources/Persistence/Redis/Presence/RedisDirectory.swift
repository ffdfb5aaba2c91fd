public import ChatDomain
public import RedisLink
import Synchronization
public import Telemetry

/// The sessions of all instances in Redis, each under its instance's lease. Scripts derive from them what others read there.
///
/// `DirectoryMachine` has the rules. This class brings it answers, news and the time, and executes what it returns.
public final class RedisDirectory: SessionDirectory {
    private struct State {
        var machine: DirectoryMachine
        var handler: (@Sendable (DirectoryEvent) -> Void)?
        var subscriber: RedisSubscriber?
        var completions: [UInt64: @Sendable ([SessionRecord]) -> Void] = [:]
        var loading: [UInt64: @Sendable () -> Void] = [:]
        var lastTicket: UInt64 = 0
        var closing: [CheckedContinuation<Void, Never>] = []
        var unsent = UnsentRequests()
        var timer: (due: Moment, task: Task<Void, Never>)?
    }

    private typealias Input = (inout DirectoryMachine, Now) -> [DirectoryMachine.Action]

    private let instance: InstanceID
    private let client: RedisClient
    private let channels: PresenceChannels
    private let codec: DirectoryCodec
    private let queries: DirectoryQueries
    private let derivedKeys: DerivedKeyWriter
    private let clock: @Sendable () -> Now
    private let trouble: OccasionalLogger
    private let state: Mutex<State>
    /// Read before every command of a room, so it is never locked for long.
    private let contactCell = Mutex((latest: Contact(), restart: Moment(milliseconds: .min)))

    /// - Parameters:
    ///   - deployment: news and payloads of other deployments are not received.
    ///   - client: stays the caller's to close.
    ///   - grace: how long a user whose last session broke off still counts as present.
    ///   - maximumSessions: sessions a user may have on all instances; the oldest gives way. 0 for no limit.
    public init(
        instance: InstanceID, deployment: DeploymentID, client: RedisClient, grace: Duration, maximumSessions: Int,
        clock: @escaping @Sendable () -> Now, logger: Logger
    ) {
        self.instance = instance
        self.client = client
        self.clock = clock
        trouble = OccasionalLogger(logger)
        let space = KeySpace(of: client)
        let scripts = PresenceScripts(deployment: deployment, isCluster: space.isCluster)
        channels = PresenceChannels(deployment: deployment, space: space)
        codec = DirectoryCodec(
            instance: instance, channels, scripts, grace: grace, maximumSessions: maximumSessions)
        queries = DirectoryQueries(
            instance: instance, client: client, keys: PresenceKeys(space: space), scripts: scripts)
        derivedKeys = DerivedKeyWriter(client: client, space: space, scripts: scripts, trouble)
        state = Mutex(
            State(machine: DirectoryMachine(instance: instance, grace: grace, maximumSessions: maximumSessions)))
    }

    public func start(_ handler: @escaping @Sendable (DirectoryEvent) -> Void) {
        let subscriber = client.subscriber(sharesThread: false) { [weak self] in self?.receive($0) }
        state.withLock { state in
            state.handler = handler
            state.subscriber = subscriber
        }
        process { $0.start(at: $1) }
        client.observeFailovers { [weak self] in self?.derivedKeys.rewrite() }
        subscriber.subscribe([channels.changes, channels.everyone, channels.inbox(of: instance)])
        client.observe { [weak self] connection in
            self?.process { $0.connectionChanged(isUp: connection == .connected, at: $1) }
        }
    }

    public func close() async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.closing.append(continuation) }
            process { machine, _ in machine.close() }
        }
        await state.withLock { $0.subscriber }?.close()
    }

    // MARK: Sessions and rooms

    public func connect(_ record: SessionRecord, completion: @escaping @Sendable ([SessionRecord]) -> Void) {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            state.completions[state.lastTicket] = completion
            return state.lastTicket
        }
        process { machine, _ in machine.connect(record, ticket: ticket) }
    }

    public func update(_ session: SessionID, of user: UserID, _ update: SessionUpdate, at now: Timestamp) {
        process { machine, _ in machine.update(session, of: user, update, at: now) }
    }

    public func remove(_ session: SessionID, of user: UserID, at now: Timestamp) {
        process { machine, _ in machine.remove(session, of: user, at: now) }
    }

    public func remove(_ sessions: [(id: SessionID, user: UserID)], at now: Timestamp) {
        process { machine, _ in sessions.flatMap { machine.remove($0.id, of: $0.user, at: now) } }
    }

    public func sendDepartures() {
        state.withLock { state in
            state.unsent.sendOff()
            sendDue(in: &state)
        }
    }

    public func setPresent(_ user: UserID, in room: RoomID, _ isPresent: Bool) {
        process { machine, _ in machine.setPresent(RoomPlace(room: room, user: user), isPresent) }
    }

    public func send(_ payload: [UInt8], to instance: InstanceID?) {
        client.perform([codec.publication(payload, to: instance)])
    }

    // MARK: Following

    public func follow(_ users: [UserID]) { process { machine, _ in machine.follow(users) } }
    public func unfollow(_ users: [UserID]) { process { machine, _ in machine.unfollow(users) } }
    public func followEverybody() { process { $0.followEverybody(at: $1) } }
    public func unfollowEverybody() { process { $0.unfollowEverybody(at: $1) } }

    public func load(_ users: [UserID], completion: @escaping @Sendable () -> Void) {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            state.loading[state.lastTicket] = completion
            return state.lastTicket
        }
        process { machine, _ in machine.load(users, ticket: ticket) }
    }

    /// How many users' presence this instance keeps.
    public var keptUsers: Int { state.withLock { $0.machine.keptUsers } }

    // MARK: Reading

    /// Without Redis this instance's sessions are all that is known.
    public func presence(of users: [UserID]) async -> [UserID: UserPresence] {
        sendDepartures()
        if state.withLock({ $0.machine.isSending }), let found = await queries.presence(of: users) { return found }
        return state.withLock { state in users.reduce(into: [:]) { $0[$1] = state.machine.presence(of: $1) } }
    }

    public func online(after cursor: UserID?, limit: Int) async -> OnlineSlice {
        sendDepartures()
        if state.withLock({ $0.machine.isSending }), let found = await queries.online(after: cursor, limit: limit) {
            return found
        }
        return state.withLock { $0.machine.localOnline(after: cursor, limit: limit) }
    }

    public func onlineCount() async -> Int {
        sendDepartures()
        if state.withLock({ $0.machine.isSending }), let count = await queries.onlineCount() { return count }
        return state.withLock { $0.machine.localOnlineCount }
    }

    public func ownPresence(of user: UserID) -> UserPresence? { state.withLock { $0.machine.presence(of: user) } }

    /// Without Redis this instance's sessions are all that is known.
    public func sessions(of users: [UserID]) async -> [UserID: [SessionRecord]] {
        sendDepartures()
        let stored = await queries.sessions(of: users)
        return state.withLock { state in
            var found: [UserID: [SessionRecord]] = [:]
            for user in users {
                let known = state.machine.isSending ? stored[user] : nil
                let sessions = known ?? state.machine.sessions(of: user)
                if !sessions.isEmpty { found[user] = sessions }
            }
            return found
        }
    }

    public var contact: Contact { contactCell.withLock { $0.latest.restarted(at: $0.restart) } }

    public func restartContact(at moment: Moment) { contactCell.withLock { $0.restart = max($0.restart, moment) } }
    public var otherInstances: Int { state.withLock { $0.machine.otherInstances } }
    /// The state of the connection over which news and payloads arrive.
    public var subscription: RedisState { state.withLock { $0.subscriber }?.state ?? .connecting }
    /// Whether another process listens under this instance's name, as the last two comparisons with Redis found.
    public var sharesName: Bool { state.withLock { $0.machine.isNameShared } }

    public func others() async -> Set<InstanceID>? { await queries.others() }

    /// An instance is dead when its lease is gone, and this one may judge.
    public func isAlive(_ instance: InstanceID) async -> Bool {
        guard instance != self.instance, state.withLock({ $0.machine.mayJudge(at: clock().monotonic) }) else {
            return true
        }
        return await !queries.isSwept(instance)
    }

    public func sharedFriends(of users: [UserID]) async -> [UserID: Set<UserID>]? {
        await queries.sharedFriends(of: users)
    }

    public func eraseTraces(of user: UserID) async throws(StoreError) { try await queries.eraseTraces(of: user) }

    /// Whether another live process goes by this instance's name. Asked before `start`; takes up to 7.5 seconds where a process
    /// listens under the name, and up to 3 seconds until Redis is connected.
    public func isNameTaken() async -> Bool {
        await InstanceNameProbe(instance: instance, channels: channels, client: client, clock: clock).isNameTaken()
    }

    // MARK: Driving the machine

    /// Inputs are processed one at a time, and their actions executed before the next, so that commands leave in the order in
    /// which the machine decided on them. Departures wait for what has to follow them, or for `sendDepartures`.
    private func process(_ input: Input) {
        let completions = state.withLock { state -> [@Sendable () -> Void] in
            let now = clock()
            let completions = input(&state.machine, now).compactMap { execute($0, in: &state) }
            sendDue(in: &state)
            setTimer(in: &state, at: now.monotonic)
            return completions
        }
        for complete in completions { complete() }
    }

    /// - Returns: what is called after the lock is released, as it may call back.
    private func execute(
        _ action: DirectoryMachine.Action, in state: inout State
    ) -> (@Sendable () -> Void)? {
        switch action {
        case .send(let request): state.unsent.add(request)
        case .sendSoon(let request): state.unsent.addPatient(request)
        case .deliver(let event): state.handler?(event)
        case .setContact(let contact): contactCell.withLock { $0.latest = contact }
        case .warn(let error): trouble.warning("presence was not sent to Redis", ["reason": "\(error)"])
        case .completeConnect(let ticket, let evicted):
            guard let completion = state.completions.removeValue(forKey: ticket) else { return nil }
            return { completion(evicted) }
        case .completeLoad(let tickets):
            let loaded = tickets.compactMap { state.loading.removeValue(forKey: $0) }
            return { for complete in loaded { complete() } }
        case .finishClosing:
            let closing = state.closing
            state.closing = []
            return { for each in closing { each.resume() } }
        }
        return nil
    }

    private func sendDue(in state: inout State) {
        let due = state.unsent.takeDue()
        guard !due.isEmpty else { return }
        // Changes of sessions go together: one hand-over to the connection's loop.
        var changes: [(requests: [DirectoryRequest], command: RedisCommand)] = []
        for group in DirectoryRequest.groups(of: due) {
            let commands = group.count > 1 ? [codec.departure(of: group)] : codec.commands(for: group[0])
            if group[0].isSessionChange, let command = commands.first {
                changes.append((group, command))
            } else {
                send(changes)
                changes = []
                send(commands, of: group[0])
            }
        }
        send(changes)
    }

    private func send(_ changes: [(requests: [DirectoryRequest], command: RedisCommand)]) {
        guard !changes.isEmpty else { return }
        derivedKeys.perform(changes.map(\.command)) { [weak self] replies in
            for (reply, (requests, _)) in zip(replies, changes) { self?.receive([reply], to: requests) }
        }
    }

    private func send(_ commands: [RedisCommand], of request: DirectoryRequest) {
        // The loop has other work than to read long answers.
        guard !request.hasLongAnswer else {
            return client.perform(commands) { [weak self] replies in Task { self?.receive(replies, to: request) } }
        }
        derivedKeys.perform(commands) { [weak self] replies in self?.receive(replies, to: request) }
    }

    private func receive(_ replies: [RedisClient.Reply], to request: DirectoryRequest) {
        receive(replies, to: [request])
    }

    /// - Parameter requests: what one command carried.
    private func receive(_ replies: [RedisClient.Reply], to requests: [DirectoryRequest]) {
        let answer = codec.answer(to: requests[0], replies)
        process { machine, now in requests.flatMap { machine.receivedAnswer(answer, to: $0, at: now) } }
    }

    private func receive(_ event: RedisSubscriberEvent) {
        switch event {
        case .connected: process { $0.subscriptionChanged(isUp: true, at: $1) }
        case .disconnected: process { $0.subscriptionChanged(isUp: false, at: $1) }
        case .subscribed: break
        // What was published between the two subscriptions was missed.
        case .moved:
            process { $0.subscriptionChanged(isUp: false, at: $1) }
            process { $0.subscriptionChanged(isUp: true, at: $1) }
        case .message(channels.changes, let payload):
            guard let news = PresenceCodec.news(payload) else { return }
            process { $0.received(news, at: $1) }
        case .message(_, let envelope):
            guard let split = envelope.firstIndex(of: 0) else { return }
            let payload = Array(envelope[(split + 1)...])
            process { $0.received(payload, from: envelope[..<split], at: $1) }
        }
    }

    private func setTimer(in state: inout State, at now: Moment) {
        let due = state.machine.deadline
        guard state.timer?.due != due else { return }
        state.timer?.task.cancel()
        state.timer = due.map { due in
            let wait = Duration.milliseconds(max(1, due.milliseconds - now.milliseconds))
            return (
                due,
                Task { [weak self] in
                    guard (try? await Task.sleep(for: wait)) != nil else { return }
                    self?.timerFired()
                }
            )
        }
    }

    private func timerFired() {
        state.withLock { $0.timer = nil }
        process { $0.tick(at: $1) }
    }
}
