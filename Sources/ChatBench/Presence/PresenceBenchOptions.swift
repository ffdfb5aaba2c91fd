public import RedisLink

/// The load that a presence bench puts on its servers.
public struct PresenceBenchOptions: Equatable, Sendable {
    public enum Scenario: String, CaseIterable, Sendable {
        /// An instance is killed; the other one announces its users as offline.
        case crash
        /// Users connect and leave.
        case churn
        /// Users change their status.
        case watch
        /// Users reconnect within the grace period.
        case flap
    }

    /// Users that one watcher can name.
    public static let maximumWatched = 1000

    public var scenario: Scenario
    public var server = BenchServer.local
    /// A second instance of the same fleet. `crash` needs one.
    public var otherServer: BenchServer?
    public var users = 1000
    /// nil: as many as are needed to name every user once.
    public var watchers: Int?
    /// Changes of status a second, in `watch`.
    public var rate = 100
    /// How long connecting, leaving or changing takes.
    public var length: Duration = .seconds(10)
    /// The servers' grace period.
    public var gracePeriod: Duration = .seconds(5)
    /// The pause before a server is killed. Instances judge no other before they held a lease for a while.
    public var pauseBeforeKill: Duration = .seconds(12)
    /// The process behind `server`, which `crash` kills; nil when the operator kills it.
    public var killedProcess: Int32?
    /// Processes whose CPU time is counted.
    public var measuredProcesses: [Int32] = []
    /// The Redis server that is searched for keys of the killed instance.
    public var redis: RedisDeployment?

    public init(_ scenario: Scenario) { self.scenario = scenario }

    /// The users that each watcher names.
    var watched: [Range<Int>] {
        if scenario == .watch { return Array(repeating: 0..<users, count: watchers ?? users) }
        let needed = (users + Self.maximumWatched - 1) / Self.maximumWatched
        let count = max(watchers ?? 0, needed, otherServer == nil ? 1 : 2)
        let share = (users + count - 1) / count
        return (0..<count).map { min($0 * share, users)..<min(($0 + 1) * share, users) }
    }
}
