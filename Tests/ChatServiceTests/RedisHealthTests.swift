import ChatCore
import ChatDomain
import RedisLink
import Telemetry
import Testing

@testable import ChatService

/// What `/ready` says of Redis.
@Suite struct RedisHealthTests {
    private let registry = MetricsRegistry()

    private func health(at time: @escaping @Sendable () -> Moment = { Moment(milliseconds: 0) }) -> RedisHealth {
        RedisHealth(logger: .disabled, registry: registry, clock: time)
    }

    private func status(_ primary: UInt16?, agreeing: Int, problems: [String] = []) -> RedisSentinelStatus {
        RedisSentinelStatus(
            primary: primary.map { RedisAddress(host: "h", port: $0) }, sentinels: 3, agreeing: agreeing,
            problems: problems)
    }

    @Test func oneSentinelIsEnough() {
        let health = health()
        func condition(_ sentinels: RedisSentinelStatus?) -> DependencyCondition {
            health.condition(.connected, subscriptions: [.connected], sentinels: sentinels)
        }
        #expect(condition(nil) == .up)
        #expect(condition(status(1, agreeing: 1, problems: ["s1: away", "s2: away"])) == .up)
        #expect(
            condition(status(1, agreeing: 0, problems: ["s1: away", "s2: unknown name"]))
                == .degraded(
                    reason:
                        "no sentinel names the primary in use, so a fail-over is not seen: s1: away; s2: unknown name"))
    }

    @Test func aConnectionThatIsDownCountsFirst() {
        let down = RedisState.disconnected(reason: "Connection refused")
        let sentinels = status(nil, agreeing: 0)
        #expect(
            health().condition(down, subscriptions: [.connected], sentinels: sentinels)
                == .down(reason: "Connection refused"))
        #expect(
            health().condition(.connected, subscriptions: [.connected, down])
                == .degraded(reason: "other instances are not heard: Connection refused"))
    }

    @Test func aClusterThatServesAPartIsDegraded() {
        #expect(
            health().condition(
                .connected, shortfall: "slots 1-2 are not served: h:1: away", subscriptions: [.connected])
                == .degraded(reason: "slots 1-2 are not served: h:1: away"))
    }

    @Test func failOversAreCounted() {
        let health = health()
        for primary in [nil, 1, 1, nil, 1, 2, 2, 1] as [UInt16?] { health.didChange(status(primary, agreeing: 1)) }
        #expect(String(decoding: registry.render(), as: UTF8.self).contains("\nchat_redis_failovers_total 2\n"))
    }
}
