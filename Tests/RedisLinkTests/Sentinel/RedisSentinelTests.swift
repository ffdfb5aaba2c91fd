import RedisLink
import RedisTestSupport
import TestSupport
import Testing

/// Real servers, and sentinels that say what a test wants. Fail-overs by real sentinels are tested with the whole service.
@Suite(.timeLimit(.minutes(5))) struct RedisSentinelTests {
    private func deployment(_ sentinels: [ScriptedSentinel], password: String? = nil) -> RedisDeployment {
        .sentinel(
            RedisSentinels(
                sentinels: sentinels.map { RedisAddress(host: "127.0.0.1", port: $0.port) },
                sentinelAccess: RedisAccess(user: password.map { _ in "reader" }, password: password),
                primaryName: "chat"))
    }

    private var options: RedisOptions {
        var options = RedisOptions.brisk
        options.sentinelInterval = .milliseconds(50)
        return options
    }

    private func connect(_ deployment: RedisDeployment) async throws -> RedisClient {
        let client = RedisClient(deployment, options: options)
        try #require(await eventually { client.state == .connected }, "\(client.state)")
        return client
    }

    private func port(of client: RedisClient) async -> UInt16? {
        let text = try? await client.send(["CONFIG", "GET", "port"]).array?.last?.text
        return text.flatMap { UInt16($0) }
    }

    @Test func aNewPrimaryIsFollowedByCommandsAndSubscriptions() async throws {
        let (one, two) = (try await RedisServer(), try await RedisServer())
        let sentinels = try (1...3).map { _ in try ScriptedSentinel(primary: one.port) }
        let client = try await connect(deployment(sentinels))
        let events = CallbackLog<RedisSubscriberEvent>()
        let subscriber = client.subscriber { events.add($0) }
        subscriber.subscribe([Array("news".utf8)])
        #expect(await eventually { events.entries.contains(.subscribed(channel: Array("news".utf8))) })
        #expect(await port(of: client) == one.port)
        #expect(client.sentinelStatus?.agreeing == 3)

        let states = CallbackLog<RedisState>()
        client.observe { states.add($0) }
        sentinels[2].names(two.port, epoch: 2)
        #expect(await eventually { await port(of: client) == two.port })
        #expect(states.entries.contains(.disconnected(reason: "another server has become the primary")))
        #expect(client.sentinelStatus?.primary?.port == two.port && client.sentinelStatus?.agreeing == 1)
        // The old primary lives on, and the subscription is at the new one.
        #expect(await eventually { (try? await client.send(["PUBLISH", "news", "x"]).integer) == 1 })
        #expect(
            await eventually {
                events.entries.contains(.message(channel: Array("news".utf8), payload: Array("x".utf8)))
            })
        await subscriber.close()
        await client.close()
    }

    @Test func aReplicaThatIsNamedIsPassedOver() async throws {
        let (primary, replica) = (try await RedisServer(), try await RedisServer())
        let direct = RedisClient(RedisEndpoint(host: "127.0.0.1", port: replica.port), options: .brisk)
        #expect(await eventually { direct.state == .connected })
        _ = try await direct.send(["REPLICAOF", "127.0.0.1", RedisArgument(primary.port)])
        let wrong = try ScriptedSentinel(primary: replica.port)
        let right = try ScriptedSentinel(primary: primary.port)

        let alone = RedisClient(deployment([wrong]), options: options)
        let reason =
            "primary chat at 127.0.0.1:\(replica.port), named by 1 of 1 sentinels: Redis is a replica, which takes no writes"
        #expect(await eventually { alone.state == .disconnected(reason: reason) })
        let client = try await connect(deployment([wrong, right]))
        #expect(await port(of: client) == primary.port)
        for each in [alone, client, direct] { await each.close() }
    }

    @Test func aNameThatNoSentinelKnowsIsReportedAndAskedForAgain() async throws {
        let server = try await RedisServer()
        let sentinel = try ScriptedSentinel(primary: nil)
        let client = RedisClient(deployment([sentinel]), options: options)
        let reason =
            "no sentinel names the primary chat: sentinel 127.0.0.1:\(sentinel.port): it knows no primary of that name"
        #expect(await eventually { client.state == .disconnected(reason: reason) })
        sentinel.names(server.port, epoch: 1)
        #expect(await eventually { client.state == .connected })
        await client.close()
    }

    @Test func withoutSentinelsTheConnectionStaysAndIsRestored() async throws {
        let server = try await RedisServer()
        let sentinel = try ScriptedSentinel(primary: server.port)
        let gone = try RefusingPort()
        let addresses = [gone.number, sentinel.port].map { RedisAddress(host: "127.0.0.1", port: $0) }
        let client = try await connect(.sentinel(RedisSentinels(sentinels: addresses, primaryName: "chat")))
        #expect(client.sentinelStatus?.problems == ["sentinel 127.0.0.1:\(gone.number): Connection refused"])
        sentinel.stop()
        #expect(await eventually { client.sentinelStatus?.agreeing == 0 })
        let states = CallbackLog<RedisState>()
        client.observe { states.add($0) }
        _ = try? await client.send(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"])
        #expect(await eventually { states.entries.last == .connected && states.entries.count > 1 })
        await client.close()
        withExtendedLifetime(gone) {}
    }

    @Test func sentinelsHaveCredentialsOfTheirOwn() async throws {
        let server = try await RedisServer()
        let sentinel = try ScriptedSentinel(primary: server.port, password: "sesame")
        let client = try await connect(deployment([sentinel], password: "sesame"))
        await client.close()
        let refused = RedisClient(deployment([sentinel], password: "swordfish"), options: options)
        #expect(await eventually { refused.state.reason?.contains("(NOAUTH)") == true })
        #expect(refused.state.reason?.contains("swordfish") == false)
        await refused.close()
    }

    @Test func aServerThatIsNoSentinelIsReported() async throws {
        let server = try await RedisServer()
        let mistaken = RedisDeployment.sentinel(
            RedisSentinels(sentinels: [RedisAddress(host: "127.0.0.1", port: server.port)], primaryName: "chat"))
        let client = RedisClient(mistaken, options: options)
        #expect(await eventually { client.state.reason?.contains("it is not a sentinel") == true })
        await client.close()
    }
}
