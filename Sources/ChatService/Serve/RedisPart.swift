import ChatDomain
import Messaging
import Persistence
import RedisLink
import Telemetry

/// What an instance has of Redis: live traffic with the other instances, the newest history, who is there, and whom it
/// waits for.
struct RedisPart: Sendable {
    let client: RedisClient
    let bus: RedisRoomBus
    let cache: RedisHistoryCache
    let directory: RedisDirectory
    let recovery: RedisRecovery

    init(_ configuration: Configuration, _ endpoint: RedisEndpoint, logger: Logger, registry: MetricsRegistry) {
        client = RedisClient(endpoint.link)
        bus = RedisRoomBus(instance: configuration.instance, client: client, registry: registry)
        cache = RedisHistoryCache(
            client: client, maximumMessages: configuration.rooms.cachedMessages,
            secondsToLive: configuration.rooms.cacheLifetime, registry: registry)
        directory = RedisDirectory(
            instance: configuration.instance, client: client, endpoint: endpoint.link,
            maximumSessions: configuration.limits.connectionsPerUser ?? 0,
            clock: {
                Now(
                    wall: Timestamp(milliseconds: WallClock.milliseconds()),
                    monotonic: Moment(milliseconds: WallClock.monotonicMilliseconds()))
            }, logger: logger)
        recovery = RedisRecovery(client: client, logger: logger)
        registry.gauge("chat_redis_connected", help: "Whether Redis is connected (0 or 1).") { [client] in
            client.state == .connected ? 1 : 0
        }
    }

    /// What is wrong with the connection; nil when nothing is.
    var trouble: String? {
        switch client.state {
        case .connected: nil
        case .connecting: "connecting"
        case .disconnected(let reason): reason
        case .closed: "closed"
        }
    }

    func close() async {
        await bus.close()
        await client.close()
    }
}
