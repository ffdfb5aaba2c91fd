/// What `bench presence` does to running servers.
struct PresenceBenchOptions: Equatable, Sendable {
    enum Scenario: String, CaseIterable, Sendable {
        /// An instance is killed: its users are announced offline by another.
        case crash
        /// Users connect and leave.
        case churn
        /// Users who change their status are watched.
        case watch
        /// Users reconnect within the grace period.
        case flap
    }

    var scenario = Scenario.churn
    var server = BenchServer()
    /// A second instance of the same fleet.
    var other: BenchServer?
    var clients = 1000
    /// nil: as many as it takes to name every user once.
    var watchers: Int?
    /// Changes a second.
    var rate = 100
    var seconds = 10
    /// How long the servers' grace period is, in milliseconds.
    var grace: Int64 = 5000
    /// How long the servers have before one is killed, in seconds: they judge nobody before they held a lease for a while.
    var settle = 12
    /// The process behind `server`, which `crash` kills.
    var victim: Int32?
    /// Processes whose CPU time is counted.
    var processes: [Int32] = []
    /// Where to look for what is left behind.
    var redis: RedisEndpoint?

    static let usage = """
        usage: chat-service bench presence crash|churn|watch|flap [--url http://127.0.0.1:5004] [--other URL] [--clients N]
                                  [--watchers N] [--rate CHANGES] [--seconds N] [--grace-ms N] [--settle SECONDS]
                                  [--kill PID] [--cpu PID,PID…] [--redis redis://127.0.0.1:6379]

        Connects users and watchers who name them, 1,000 each at most, and checks that every watcher hears of every change once, in
        order, and of nothing else; and that counts are right at the end.

          crash  users on --url, watchers on --other; --kill ends the first with SIGKILL, or it says when to do so. With --redis
                 the keys of the dead are looked for afterwards.
          churn  users come within --seconds and leave within --seconds; with --cpu, what that costs.
          watch  every watcher names all users, who change their status, --rate changes a second.
          flap   users break off and reconnect at once, three times.

        With --other users and watchers are on both. Prints one line of JSON, and a table to standard error. The servers have to believe
        names (trusted mode) and run with RATE_LIMIT_MESSAGES=0 RATE_LIMIT_CONNECTIONS=0 PRESENCE_AWAY_AFTER_MS=0.
        """

    init(parsing arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        guard let first = rest.popFirst(), let scenario = Scenario(rawValue: first) else {
            let names = Scenario.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError(description: "bench presence takes one of \(names)")
        }
        self.scenario = scenario
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(name) needs a value") }
            try set(name, value)
        }
        guard scenario != .crash || other != nil else {
            throw UsageError(description: "crash needs --other, which is to announce who is gone")
        }
        if let watchers, scenario != .watch, watchers * WatchLimit.users < clients {
            throw UsageError(description: "--watchers name 1,000 users each: that is not everybody")
        }
        guard scenario != .watch || clients <= WatchLimit.users else {
            throw UsageError(description: "--clients must be 1 to 1000 where every watcher names all of them")
        }
    }

    private mutating func set(_ name: String, _ value: String) throws(UsageError) {
        func number(_ range: ClosedRange<Int>) throws(UsageError) -> Int {
            try BenchServer.number(value, range, for: name)
        }
        switch name {
        case "--url": server = try BenchServer(url: value)
        case "--other": other = try BenchServer(url: value)
        case "--clients": clients = try number(1...18_000)
        case "--watchers": watchers = try number(1...10_000)
        case "--rate": rate = try number(1...100_000)
        case "--seconds": seconds = try number(1...3600)
        case "--grace-ms": grace = Int64(try number(0...600_000))
        case "--settle": settle = try number(0...3600)
        case "--kill": victim = Int32(try number(1...Int(Int32.max)))
        case "--cpu":
            for part in value.split(separator: ",", omittingEmptySubsequences: false) {
                processes.append(Int32(try BenchServer.number(String(part), 1...Int(Int32.max), for: name)))
            }
        case "--redis":
            guard let endpoint = RedisEndpoint(url: value) else {
                throw UsageError(description: "--redis must be redis://HOST:PORT")
            }
            redis = endpoint
        default: throw UsageError(description: "bench presence knows no \(name)")
        }
    }

    enum WatchLimit {
        /// Users one watcher names.
        static let users = 1000
    }

    /// Whom each watcher names.
    var watched: [Range<Int>] {
        if scenario == .watch { return Array(repeating: 0..<clients, count: watchers ?? clients) }
        let count = max(watchers ?? 0, (clients + WatchLimit.users - 1) / WatchLimit.users, other == nil ? 1 : 2)
        let share = (clients + count - 1) / count
        return (0..<count).map { min($0 * share, clients)..<min(($0 + 1) * share, clients) }
    }
}
