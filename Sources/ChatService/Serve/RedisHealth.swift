import ChatCore
import Gateway
import RedisLink
import Synchronization
import Telemetry

/// What Redis refused lately and how its connections stand: for `/ready`, the log and the metrics.
///
/// A refusal that lasts comes again with every heartbeat of presence, every 2.5 s. So one that was not seen for a while is
/// over.
final class RedisHealth: Sendable {
    /// How long a refusal counts after it was last seen, in milliseconds.
    static let memory: Int64 = 10_000
    /// The codes that have a label of their own; Redis and its modules have many more.
    private static let codes = [
        "READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "OOM", "NOPERM", "MISCONF", "NOREPLICAS", "BUSY", "WRONGTYPE",
        "UNKNOWN", "CROSSSLOT", "MOVED", "CLUSTERDOWN",
    ]

    private struct Seen {
        var reason: String
        var at: Int64
    }

    private let last = Mutex<Seen?>(nil)
    private let counters: [String: Counter]
    private let others: Counter
    private let disconnections: Counter
    private let logger: Logger
    private let trouble: OccasionalLogger
    private let clock: @Sendable () -> Int64

    init(
        logger: Logger, registry: MetricsRegistry,
        clock: @escaping @Sendable () -> Int64 = WallClock.monotonicMilliseconds
    ) {
        let help = "Commands and scripts that Redis refused, by its reason."
        func counter(_ code: String) -> Counter {
            registry.counter("chat_redis_refusals_total", help: help, labels: ["code": code])
        }
        counters = Dictionary(Self.codes.map { ($0, counter($0)) }) { first, _ in first }
        others = counter("other")
        disconnections = registry.counter(
            "chat_redis_disconnections_total", help: "Connections to Redis, and attempts at one, that failed.")
        self.logger = logger
        self.clock = clock
        trouble = OccasionalLogger(logger)
    }

    func note(_ refusal: RedisRefusal) {
        (counters[refusal.code] ?? others).add()
        let reason = Self.reason(refusal)
        trouble.warning("Redis refuses", ["reason": reason])
        // One key of the wrong kind is somebody's mistake; a script that meets one does not do its work.
        guard refusal.isScript || refusal.code != "WRONGTYPE" else { return }
        last.withLock { $0 = Seen(reason: reason, at: clock()) }
    }

    func changed(_ state: RedisState) {
        switch state {
        case .connected: logger.info("Redis connected")
        case .disconnected(let reason):
            disconnections.add()
            trouble.warning("no Redis", ["reason": reason])
        case .connecting, .closed: break
        }
    }

    /// - Parameter subscriptions: the connections over which others are heard.
    func condition(_ client: RedisState, subscriptions: [RedisState]) -> DependencyCondition {
        if let trouble = Self.trouble(client) { return .down(reason: trouble) }
        if let trouble = subscriptions.lazy.compactMap(Self.trouble).first {
            return .degraded(reason: "other instances are not heard: \(trouble)")
        }
        let now = clock()
        guard let seen = last.withLock({ $0 }), now - seen.at <= Self.memory else { return .up }
        return .degraded(reason: seen.reason)
    }

    private static func trouble(_ state: RedisState) -> String? {
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
            case "BUSY": "a script of somebody's keeps Redis busy"
            case "UNKNOWN": "this server lacks a command; it has to be Redis 6.2 or later, with no command renamed"
            case "WRONGTYPE": "a key holds something else than the service put there"
            case "MOVED", "CROSSSLOT", "CLUSTERDOWN": "Redis Cluster is not supported"
            default: "Redis refuses"
            }
        return "\(why) (\(refusal.code.prefix(32)) for \(refusal.command))"
    }
}
