import ChatDomain
import EventLoop
import Telemetry

/// The users and watchers of a presence bench, with the ledger of what watchers are owed. Runs on the loop of the connections.
actor PresencePopulation {
    private static let connectingAtOnce = 256
    /// How long a step may take that the bench does not measure.
    private static let stepTimeout: Duration = .seconds(60)
    private static let tick: Duration = .milliseconds(2)

    private nonisolated let loop: EventLoop
    private let options: PresenceBenchOptions
    private let watched: [Range<Int>]
    private let contexts: [BenchContext]
    private var users: [Int: PresenceClient] = [:]
    private var watchers: [PresenceClient] = []
    private var connectingUsers = 0
    private var connectedWatchers = 0
    private var failure: BenchFailure?
    private var allowsLoss = false
    /// Grows with each reconnect and moves users to the other server.
    private var generation = 0
    /// The last answer to a watcher's question for the online count.
    private var lastCount: Int?

    private(set) var ledger: PresenceLedger
    private(set) var refused = 0
    /// Users whose connections the server ended.
    private(set) var lostUsers: Set<Int> = []
    /// The instance that the first user is on.
    private(set) var instance = ""

    init(_ options: PresenceBenchOptions, on loop: EventLoop) {
        self.options = options
        self.loop = loop
        contexts = ([options.server] + (options.otherServer.map { [$0] } ?? [])).map { server in
            BenchContext(loop: loop, server: server)
        }
        watched = options.watched
        ledger = PresenceLedger(users: options.users, watched: watched)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    var watcherCount: Int { watched.count }

    // MARK: Steps of a scenario

    /// Connects the watchers, then the users within `span`. Returns when each user was announced to each of its watchers.
    ///
    /// - Returns: the latencies of these announcements, in microseconds, which the ledger then forgets.
    @discardableResult
    func assemble(within span: Duration) async throws(BenchFailure) -> [Int64] {
        for index in watched.indices {
            try openWatcher(index)
            if index % 64 == 63 {
                try await require("watchers connect") { $0.connectedWatchers == $0.watchers.count }
            }
        }
        try await require("watchers connect") { $0.connectedWatchers == $0.watchers.count }
        try await connectUsers(0..<options.users, within: span, isAnnounced: true)
        try await require("each user is announced") { $0.ledger.missing == 0 }
        return ledger.takeLatencies()
    }

    /// Disconnects all users within `span`, without closing handshakes.
    func disconnectAll(within span: Duration) async throws(BenchFailure) {
        try await pace(users.count, over: span) { population, user in
            population.users.removeValue(forKey: user)?.close()
            population.expectOffline(user)
            return true
        }
    }

    /// Disconnects the users and connects them again at once, 100 at a time.
    func reconnectAll() async throws(BenchFailure) {
        generation += 1
        for start in stride(from: 0, to: options.users, by: 100) {
            let slice = start..<min(start + 100, options.users)
            for user in slice { users.removeValue(forKey: user)?.close() }
            try await connectUsers(slice, within: .zero, isAnnounced: false)
        }
    }

    /// Changes the users' status in turn, `options.rate` times a second.
    func changeStatuses() async throws(BenchFailure) {
        let total = Int(options.length / .seconds(1)) * options.rate
        try await pace(total, over: options.length) { population, number in
            let (round, user) = number.quotientAndRemainder(dividingBy: population.options.users)
            let status: PresenceStatus = round.isMultiple(of: 2) ? .busy : .online
            population.ledger.expect(status, of: user, at: WallClock.monotonicMicroseconds())
            population.users[user]?.set(status)
            return true
        }
    }

    /// Lets the server end the users' connections, as it does when it is killed.
    func allowLoss() { allowsLoss = true }

    /// Records that all users are gone now.
    func expectAllOffline() {
        for user in 0..<options.users { expectOffline(user) }
    }

    /// Asks each server that has watchers for its online count. Returns how many answers differ from `expected`.
    func wrongCounts(expected: Int) async throws(BenchFailure) -> Int {
        var wrong = 0
        for watcher in watchers.prefix(contexts.count) {
            lastCount = nil
            watcher.requestCount()
            try await require("an online count") { $0.lastCount != nil }
            if lastCount != expected { wrong += 1 }
        }
        return wrong
    }

    func closeAll() {
        for client in users.values { client.close() }
        for client in watchers { client.close() }
    }

    // MARK: Waiting

    func pause(_ span: Duration) async {
        await withCheckedContinuation { continuation in
            loop.schedule(after: span) { continuation.resume() }
        }
    }

    /// Waits until `condition` holds; false when it does not within `span`.
    func wait(
        upTo span: Duration, for condition: @Sendable (isolated PresencePopulation) -> Bool
    ) async throws(BenchFailure) -> Bool {
        let deadline = now + span
        while !condition(self) {
            try throwFailure()
            guard now < deadline else { return false }
            await pause(.milliseconds(5))
        }
        return true
    }

    private func require(
        _ what: String, _ condition: @Sendable (isolated PresencePopulation) -> Bool
    ) async throws(BenchFailure) {
        guard try await wait(upTo: Self.stepTimeout, for: condition) else {
            throw BenchFailure(description: "not within \(Self.stepTimeout): \(what)")
        }
    }

    /// Calls `step` with 0 to `count - 1`, spread evenly over `span`. A step that returns false is tried again later.
    private func pace(
        _ count: Int, over span: Duration,
        _ step: @Sendable (isolated PresencePopulation, Int) throws(BenchFailure) -> Bool
    ) async throws(BenchFailure) {
        let start = now
        var next = 0
        while next < count {
            let elapsed = now - start
            let due = span == .zero ? count : min(count, Int(elapsed / span * Double(count)) + 1)
            while next < due, try step(self, next) { next += 1 }
            try throwFailure()
            await pause(Self.tick)
        }
    }

    private var now: Moment { Moment(milliseconds: loop.monotonicMilliseconds) }

    private func throwFailure() throws(BenchFailure) {
        if let failure { throw failure }
    }

    // MARK: Connections

    private func connectUsers(
        _ range: Range<Int>, within span: Duration, isAnnounced: Bool
    ) async throws(BenchFailure) {
        try await pace(range.count, over: span) { population, number throws(BenchFailure) in
            guard population.connectingUsers < Self.connectingAtOnce else { return false }
            try population.openUser(range.lowerBound + number, isAnnounced: isAnnounced)
            return true
        }
        try await require("users connect") { $0.connectingUsers == 0 }
    }

    private func expectOffline(_ user: Int) {
        ledger.expect(.offline, of: user, at: WallClock.monotonicMicroseconds())
    }

    private func openUser(_ user: Int, isAnnounced: Bool) throws(BenchFailure) {
        if isAnnounced { ledger.expect(.online, of: user, at: WallClock.monotonicMicroseconds()) }
        connectingUsers += 1
        // In a crash all users are on the server that is killed.
        let server = options.scenario == .crash ? 0 : (user + generation) % contexts.count
        users[user] = try open(PresenceClient.name(user: user), on: server) { [unowned self] event in
            assumeIsolated { $0.received(event, byUser: user) }
        }
    }

    private func openWatcher(_ index: Int) throws(BenchFailure) {
        let server = options.scenario == .crash ? contexts.count - 1 : index % contexts.count
        watchers.append(
            try open(PresenceClient.name(watcher: index), on: server) { [unowned self] event in
                assumeIsolated { $0.received(event, byWatcher: index) }
            })
    }

    private func open(
        _ name: String, on server: Int, report: @escaping @Sendable (PresenceClient.Event) -> Void
    ) throws(BenchFailure) -> PresenceClient {
        do throws(ConnectError) {
            return try PresenceClient(name: name, context: contexts[server], report: report)
        } catch {
            throw BenchFailure(description: "cannot connect: \(error)")
        }
    }

    private func received(_ event: PresenceClient.Event, byUser user: Int) {
        switch event {
        case .authenticated(let instance):
            connectingUsers -= 1
            if user == 0 { self.instance = instance }
        case .lost where allowsLoss: lostUsers.insert(user)
        case .lost(let reason): failure = BenchFailure(description: "user \(user): \(reason)")
        case .refused: refused += 1
        case .snapshot, .change, .count: break
        }
    }

    private func received(_ event: PresenceClient.Event, byWatcher index: Int) {
        switch event {
        case .authenticated where watched[index].isEmpty: connectedWatchers += 1
        case .authenticated: watchers[index].watch(watched[index])
        case .snapshot: connectedWatchers += 1
        case .change(let user, let status):
            ledger.received(status, of: user, by: index, at: WallClock.monotonicMicroseconds())
        case .count(let count): lastCount = count
        case .lost(let reason): failure = BenchFailure(description: "watcher \(index): \(reason)")
        case .refused: refused += 1
        }
    }
}
