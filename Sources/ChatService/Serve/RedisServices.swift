import ChatCore
import ChatDomain
import EventLoop
import Gateway
import MessagingRedis
import PersistenceRedis
import RedisLink
import Telemetry

/// The parts of an instance that use Redis: the bus to other instances, the history cache, the directory of sessions, and
/// sessions kept for recovery.
struct RedisServices: Sendable {
    let client: RedisClient
    let bus: RedisRoomBus
    let cache: RedisHistoryCache
    let directory: RedisDirectory
    let recovery: RedisRecovery
    private let health: RedisHealth

    /// With this many loops at most, one of them has the connections to Redis.
    private static let fewLoops = 2

    /// The loop for the connections to Redis: a message that changes threads costs two wake-ups. Where there are many loops, and cores
    /// for them, a loop with this work would be the busiest of them.
    ///
    /// - Returns: nil for a thread of their own.
    static func loop(among loops: [EventLoop]) -> EventLoop? { loops.count <= fewLoops ? loops.first : nil }

    /// - Parameter loop: where the connections live; nil for a thread of their own. It must run until `close` has returned.
    init(
        _ configuration: Configuration, _ deployment: RedisDeployment, on loop: EventLoop?, logger: Logger,
        registry: MetricsRegistry
    ) {
        let health = RedisHealth(logger: logger, registry: registry)
        self.health = health
        client = RedisClient(
            deployment, on: loop, stateChanged: { health.didChange($0) }, refused: { health.didRefuse($0) })
        bus = RedisRoomBus(
            instance: configuration.instance, deployment: configuration.deployment, client: client, registry: registry)
        cache = RedisHistoryCache(
            client: client, maximumMessages: configuration.rooms.cachedMessages,
            timeToLive: configuration.rooms.cacheLifetime, registry: registry)
        directory = RedisDirectory(
            instance: configuration.instance, deployment: configuration.deployment, client: client,
            grace: configuration.presence.gracePeriod,
            maximumSessions: configuration.limits.connectionsPerUser ?? 0,
            clock: { .system }, logger: logger)
        recovery = RedisRecovery(client: client, logger: logger)
        registry.gauge("chat_redis_connected", help: "Whether Redis is connected (0 or 1).") { [client] in
            client.state == .connected ? 1 : 0
        }
        client.observeSentinels { health.didChange($0) }
        if client.sentinelStatus != nil {
            registry.gauge(
                "chat_redis_sentinels_agreeing", help: "Sentinels that name the primary in use, as last heard."
            ) { [client] in Double(client.sentinelStatus?.agreeing ?? 0) }
        }
        registry.gauge(
            "chat_other_instances", help: "Other instances that hold a lease in Redis, as this one last heard."
        ) { [directory] in Double(directory.otherInstances) }
    }

    /// Whether Redis accepts every command that the service sends.
    var condition: DependencyCondition {
        let condition = health.condition(
            client.state, shortfall: client.shortfall, subscriptions: [bus.subscription, directory.subscription],
            sentinels: client.sentinelStatus)
        guard condition == .up, directory.sharesName else { return condition }
        return .degraded(reason: "another process has the same INSTANCE_ID")
    }

    /// - Throws: when another live process has this instance's name.
    func requireOwnName(_ instance: InstanceID) async throws(NameTaken) {
        guard await directory.isNameTaken() else { return }
        throw NameTaken(instance: instance)
    }

    func close() async {
        await bus.close()
        await client.close()
    }
}

struct NameTaken: Error, CustomStringConvertible {
    let instance: InstanceID

    var description: String {
        "INSTANCE_ID \(instance) is in use by another live process; each process needs its own"
    }
}
