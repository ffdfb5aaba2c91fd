import ChatBench
import RedisLink

extension PresenceBenchOptions {
    static let usage = """
        usage: chat-service bench presence crash|churn|watch|flap [--url http://127.0.0.1:5004] [--other URL] [--clients N]
                                  [--watchers N] [--rate CHANGES] [--seconds N] [--grace-ms N] [--settle SECONDS]
                                  [--kill PID] [--cpu PID,PID…] [--redis redis://127.0.0.1:6379]

        Connects users, and watchers that subscribe to at most 1,000 users each. Checks that each watcher receives each change of
        status once, in order, and nothing else, and that online counts are right at the end.

          crash  users are on --url, watchers on --other. --kill ends the first server with SIGKILL; without it the bench says when to
                 kill it. --settle is the pause before that. With --redis the keys of the killed instance are searched for afterwards.
          churn  users connect within --seconds and leave within --seconds; --cpu reports the CPU time that a
                 transition costs, in all and by process, in their order.
          watch  each watcher subscribes to all users, which change their status --rate times a second.
          flap   users disconnect and reconnect at once, three times.

        With --other users and watchers are on both servers. --grace-ms is the servers' PRESENCE_GRACE_MS. Prints one line of JSON, and
        a table to standard error. The servers must run in trusted mode with RATE_LIMIT_MESSAGES=0 RATE_LIMIT_CONNECTIONS=0
        PRESENCE_AWAY_AFTER_MS=0.
        """

    init(parsing arguments: [String]) throws(UsageError) {
        guard let first = arguments.first, let scenario = Scenario(rawValue: first) else {
            let names = Scenario.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError(description: "bench presence takes one of \(names)")
        }
        self.init(scenario)
        for option in try BenchArguments(arguments.dropFirst()).options { try set(option) }
        guard scenario != .crash || otherServer != nil else {
            throw UsageError(description: "crash needs --other, the server that announces users as offline")
        }
        if let watchers, scenario != .watch, watchers * Self.maximumWatched < users {
            throw UsageError(
                description: "--watchers subscribe to \(Self.maximumWatched) users each: too few for --clients")
        }
        guard scenario != .watch || users <= Self.maximumWatched else {
            throw UsageError(
                description: "--clients must be 1 to \(Self.maximumWatched), as each watcher subscribes to all of them")
        }
    }

    private mutating func set(_ option: BenchArguments.Option) throws(UsageError) {
        let processes = 1...Int(Int32.max)
        switch option.name {
        case "--url": server = try option.server()
        case "--other": otherServer = try option.server()
        case "--clients": users = try option.number(in: 1...18_000)
        case "--watchers": watchers = try option.number(in: 1...10_000)
        case "--rate": rate = try option.number(in: 1...100_000)
        case "--seconds": length = .seconds(try option.number(in: 1...3600))
        case "--grace-ms": gracePeriod = .milliseconds(try option.number(in: 0...600_000))
        case "--settle": pauseBeforeKill = .seconds(try option.number(in: 0...3600))
        case "--kill": killedProcess = Int32(try option.number(in: processes))
        case "--cpu": measuredProcesses += try option.numbers(in: processes).map { Int32($0) }
        case "--redis":
            guard let deployment = RedisDeployment(url: option.value) else {
                throw UsageError(description: "--redis must be redis://HOST:PORT")
            }
            redis = deployment
        default: throw UsageError(description: "bench presence has no option \(option.name)")
        }
    }
}
