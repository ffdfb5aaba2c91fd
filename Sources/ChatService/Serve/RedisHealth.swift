import ChatCore
import ChatDomain
import Gateway
import RedisLink
import Synchronization
import Telemetry

/// Tracks the refusals of Redis, the state of its connections and what its sentinels say, for `/ready`, the log and the metrics.
///
/// Presence sends a heartbeat every 2.5 s. A refusal with a lasting cause is seen with each heartbeat, so one that was not seen
/// for ten seconds is over.
final class RedisHealth: Sendable {
    /// How long a refusal counts after it was last seen.
    static let refusalLifetime: Duration = .seconds(10)
    /// The codes that have a label of their own; Redis and its modules have many more.
    private static let codes = [
        "READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "OOM", "NOPERM", "MISCONF", "NOREPLICAS", "BUSY", "WRONGTYPE",
        "UNKNOWN", "CROSSSLOT", "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN",
    ]

    private struct SeenRefusal {
        var reason: String
        var at: Moment
    }

    private let lastRefusal = Mutex<SeenRefusal?>(nil)
    /// nil until the sentinels have named a primary.
    private let lastPrimary = Mutex<RedisAddress?>(nil)
    private let counters: [String: Counter]
    private let others: Counter
    private let disconnections: Counter
    private let failovers: Counter
    private let logger: Logger
    private let occasionalLogger: OccasionalLogger
    private let sentinelLogger: OccasionalLogger
    private let clock: @Sendable () -> Moment

    init(
        logger: Logger, registry: MetricsRegistry,
        clock: @escaping @Sendable () -> Moment = { Now.system.monotonic }
    ) {
        let help = "Commands and scripts that Redis refused, by its reason."
        func counter(_ code: String) -> Counter {
            registry.counter("chat_redis_refusals_total", help: help, labels: ["code": code])
        }
        counters = Dictionary(Self.codes.map { ($0, counter($0)) }) { first, _ in first }
        others = counter("other")
        disconnections = registry.counter(
            "chat_redis_disconnections_total", help: "Connections to Redis, and attempts at one, that failed.")
        failovers = registry.counter(
            "chat_redis_failovers_total", help: "Times that the sentinels named another primary than before.")
        self.logger = logger
        self.clock = clock
        occasionalLogger = OccasionalLogger(logger)
        sentinelLogger = OccasionalLogger(logger)
    }

    func didRefuse(_ refusal: RedisRefusal) {
        (counters[refusal.code] ?? others).add()
        let reason = Self.reason(refusal)
        occasionalLogger.warning("Redis refused a command", ["reason": reason])
        // A command that meets one key of another type fails for that key alone; a script does none of its work.
        guard refusal.isScript || refusal.code != "WRONGTYPE" else { return }
        lastRefusal.withLock { $0 = SeenRefusal(reason: reason, at: clock()) }
    }

    func didChange(_ state: RedisState) {
        switch state {
        case .connected: logger.info("Redis connected")
        case .disconnected(let reason):
            disconnections.add()
            occasionalLogger.warning("Redis disconnected", ["reason": reason])
        case .connecting, .closed: break
        }
    }

    func didChange(_ sentinels: RedisSentinelStatus) {
        if !sentinels.problems.isEmpty {
            sentinelLogger.warning(
                "Redis sentinels disagree or are away", ["reason": sentinels.problems.joined(separator: "; ")])
        }
        guard let primary = sentinels.primary else { return }
        let previous = lastPrimary.withLock { last in
            defer { last = primary }
            return last
        }
        guard previous != primary else { return }
        if previous != nil { failovers.add() }
        logger.notice("Redis primary", ["address": "\(primary)", "sentinels": sentinels.agreeing])
    }

    /// - Parameters:
    ///   - shortfall: which part of a cluster is not served; nil where all is.
    ///   - subscriptions: the connections that receive publications of other instances.
    ///   - sentinels: nil where there are none.
    func condition(
        _ client: RedisState, shortfall: String? = nil, subscriptions: [RedisState],
        sentinels: RedisSentinelStatus? = nil
    ) -> DependencyCondition {
        if let reason = Self.reason(client) { return .down(reason: reason) }
        if let shortfall { return .degraded(reason: shortfall) }
        if let reason = subscriptions.lazy.compactMap(Self.reason).first {
            return .degraded(reason: "other instances are not heard: \(reason)")
        }
        if let sentinels, sentinels.agreeing == 0 {
            let problems = sentinels.problems.joined(separator: "; ")
            return .degraded(reason: "no sentinel names the primary in use, so a fail-over is not seen: \(problems)")
        }
        guard let refusal = lastRefusal.withLock({ $0 }), clock() <= refusal.at + Self.refusalLifetime else {
            return .up
        }
        return .degraded(reason: refusal.reason)
    }

    /// Why the connection cannot be used; nil when it can.
    private static func reason(_ state: RedisState) -> String? {
        switch state {
        case .connected: nil
        case .connecting: "connecting"
        case .disconnected(let reason): reason
        case .closed: "closed"
        }
    }

    private static func reason(_ refusal: RedisRefusal) -> String {
        let why =
            switch refusal.code {
            case "OOM": "Redis is full"
            case "NOPERM": "this user's access list does not allow it"
            case "MISCONF": "Redis takes no writes, since it cannot save"
            case "NOREPLICAS": "Redis takes no writes, since it has too few replicas"
            case "BUSY": "a script keeps Redis busy"
            case "UNKNOWN": "this server lacks a command; it has to be Redis 6.2 or later, with no command renamed"
            case "WRONGTYPE": "a key holds a type that the service does not write there"
            case "MOVED", "ASK", "CROSSSLOT": "this server belongs to a cluster: REDIS_URL has to be redis+cluster://"
            case "CLUSTERDOWN": "the cluster does not serve all its slots"
            case "TRYAGAIN": "a slot of the cluster is being moved"
            default: "Redis refuses"
            }
        return "\(why) (\(refusal.code.prefix(32)) for \(refusal.command))"
    }
}
