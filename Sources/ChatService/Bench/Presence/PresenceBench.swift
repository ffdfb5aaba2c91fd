import ChatDomain
import EventLoop
import Telemetry

/// Why a bench could not go on.
struct BenchTrouble: Error, CustomStringConvertible {
    let description: String
}

/// Users and those who watch them, on the loop they are connected on.
actor PresenceBench {
    private static let connectingAtOnce = 256
    /// How long a step may take that is nobody's measure, in milliseconds.
    private static let conditionTimeout: Int64 = 60_000

    nonisolated let loop: EventLoop
    let options: PresenceBenchOptions
    let watched: [Range<Int>]
    var ledger: PresenceLedger
    private let contexts: [BenchContext]
    private var users: [Int: PresenceClient] = [:]
    private var watchers: [PresenceClient] = []
    private var unready = 0
    private var snapshots = 0
    private var trouble: String?
    private(set) var refused = 0
    /// Users whose connections the server ended.
    private(set) var lostUsers: Set<Int> = []
    /// Whether connections may break off at the server's end.
    var mayLose = false
    /// Moves users to the other server when they come again.
    var generation = 0
    /// What `online_count` said last.
    private var lastCount: Int?
    /// The instance the first user is on.
    private(set) var instance = ""

    init(_ options: PresenceBenchOptions, on loop: EventLoop) throws(UsageError) {
        self.options = options
        self.loop = loop
        var contexts: [BenchContext] = []
        for server in [options.server] + (options.other.map { [$0] } ?? []) {
            contexts.append(
                BenchContext(loop: loop, address: try server.address, port: server.port, host: server.host))
        }
        self.contexts = contexts
        watched = options.watched
        ledger = PresenceLedger(users: options.clients, watched: watched)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    // MARK: Steps of a scenario

    /// Watchers ask, and users come; everybody is seen by everybody who watches them.
    func assemble(usersWithin milliseconds: Int64) async throws(BenchTrouble) {
        for index in watched.indices {
            try openWatcher(index)
            if index % 64 == 63 { try await reach("watchers connect") { $0.snapshots == $0.watchers.count } }
        }
        try await reach("watchers connect") { $0.snapshots == $0.watchers.count }
        try await connectUsers(0..<options.clients, within: milliseconds, isNews: true)
        try await reach("everybody is seen online") { $0.ledger.missing == 0 }
    }

    /// - Parameter isNews: whether their coming is owed to the watchers.
    func connectUsers(_ range: Range<Int>, within milliseconds: Int64, isNews: Bool) async throws(BenchTrouble) {
        let begun = loop.monotonicMilliseconds
        var next = range.lowerBound
        while next < range.upperBound {
            let elapsed = loop.monotonicMilliseconds - begun
            let due = milliseconds == 0 ? range.count : Int(elapsed) * range.count / Int(milliseconds) + 1
            while next < min(range.upperBound, range.lowerBound + due), unready < Self.connectingAtOnce {
                try openUser(next, isNews: isNews)
                next += 1
            }
            try check()
            await pause(2)
        }
        try await reach("users connect") { $0.unready == 0 }
    }

    /// Users break off, spread over a span.
    func dropUsers(within milliseconds: Int64, isNews: Bool) async throws(BenchTrouble) {
        let begun = loop.monotonicMilliseconds
        let total = users.count
        var dropped = 0
        while dropped < total {
            let elapsed = loop.monotonicMilliseconds - begun
            let due = milliseconds == 0 ? total : Int(elapsed) * total / Int(milliseconds) + 1
            while dropped < min(total, due) {
                drop(dropped, isNews: isNews)
                dropped += 1
            }
            try check()
            await pause(2)
        }
    }

    func drop(_ user: Int, isNews: Bool) {
        users.removeValue(forKey: user)?.close()
        if isNews { ledger.expect(.offline, of: user, at: WallClock.monotonicMicroseconds()) }
    }

    func change(_ user: Int, to status: PresenceStatus) {
        ledger.expect(status, of: user, at: WallClock.monotonicMicroseconds())
        users[user]?.set(status)
    }

    /// Counts on each server that watchers are on which are not what they have to be, once all is quiet.
    func wrongCounts(expected: Int) async throws(BenchTrouble) -> Int {
        var wrong = 0
        for watcher in watchers.prefix(contexts.count) {
            lastCount = nil
            watcher.askForCount()
            try await reach("a count") { $0.lastCount != nil }
            if lastCount != expected { wrong += 1 }
        }
        return wrong
    }

    func closeAll() {
        for client in users.values { client.close() }
        for client in watchers { client.close() }
    }

    // MARK: Waiting

    func pause(_ milliseconds: Int64) async {
        await withCheckedContinuation { continuation in
            loop.schedule(after: milliseconds) { continuation.resume() }
        }
    }

    /// Whether `condition` held within the time given.
    func wait(
        atMost milliseconds: Int64, for condition: (isolated PresenceBench) -> Bool
    ) async throws(BenchTrouble) -> Bool {
        let deadline = loop.monotonicMilliseconds + milliseconds
        while !condition(self) {
            try check()
            guard loop.monotonicMilliseconds < deadline else { return false }
            await pause(5)
        }
        return true
    }

    func reach(_ what: String, _ condition: (isolated PresenceBench) -> Bool) async throws(BenchTrouble) {
        guard try await wait(atMost: Self.conditionTimeout, for: condition) else {
            throw BenchTrouble(description: "not within \(Self.conditionTimeout / 1000) s: \(what)")
        }
    }

    private func check() throws(BenchTrouble) {
        if let trouble { throw BenchTrouble(description: trouble) }
    }

    // MARK: Connections

    private func openUser(_ user: Int, isNews: Bool) throws(BenchTrouble) {
        if isNews { ledger.expect(.online, of: user, at: WallClock.monotonicMicroseconds()) }
        unready += 1
        // Whoever is to be killed has all users.
        let server = options.scenario == .crash ? 0 : (user + generation) % contexts.count
        users[user] = try client(PresenceClient.name(user: user), on: server) { [unowned self] event in
            assumeIsolated { $0.heard(event, byUser: user) }
        }
    }

    private func openWatcher(_ index: Int) throws(BenchTrouble) {
        let server = options.scenario == .crash ? contexts.count - 1 : index % contexts.count
        watchers.append(
            try client(PresenceClient.watcherPrefix + String(index), on: server) { [unowned self] event in
                assumeIsolated { $0.heard(event, byWatcher: index) }
            })
    }

    private func client(
        _ name: String, on server: Int, report: @escaping @Sendable (PresenceClient.Event) -> Void
    ) throws(BenchTrouble) -> PresenceClient {
        do throws(ConnectError) {
            return try PresenceClient(name: name, context: contexts[server], report: report)
        } catch {
            throw BenchTrouble(description: "cannot connect: \(error)")
        }
    }

    private func heard(_ event: PresenceClient.Event, byUser user: Int) {
        switch event {
        case .ready(let socketID):
            unready -= 1
            if user == 0 { instance = socketID.split(separator: "-").dropLast(2).joined(separator: "-") }
        case .lost where mayLose: lostUsers.insert(user)
        case .lost(let reason): trouble = "user \(user): \(reason)"
        case .refused: refused += 1
        case .snapshot, .change, .count: break
        }
    }

    private func heard(_ event: PresenceClient.Event, byWatcher index: Int) {
        switch event {
        case .ready where watched[index].isEmpty: snapshots += 1
        case .ready: watchers[index].watch(watched[index])
        case .snapshot: snapshots += 1
        case .change(let user, let status):
            ledger.hear(status, of: user, by: index, at: WallClock.monotonicMicroseconds())
        case .count(let count): lastCount = count
        case .lost(let reason): trouble = "watcher \(index): \(reason)"
        case .refused: refused += 1
        }
    }
}
