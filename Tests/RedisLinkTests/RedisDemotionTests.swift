import RedisLink
import RedisTestSupport
import TestSupport
import Testing

/// A server that is not the primary, or not any more.
@Suite(.timeLimit(.minutes(5))) struct RedisDemotionTests {
    private func client(
        _ server: RedisServer, states: CallbackLog<RedisState> = CallbackLog(),
        refusals: CallbackLog<RedisRefusal> = CallbackLog()
    ) async throws -> RedisClient {
        let client = RedisClient(
            RedisEndpoint(host: "127.0.0.1", port: server.port), options: .brisk, stateChanged: { states.add($0) },
            refused: { refusals.add($0) })
        try #require(await eventually { client.state == .connected }, "\(client.state)")
        return client
    }

    @Test func aDemotedServerIsLeftUntilItIsPrimaryAgain() async throws {
        let server = try await RedisServer()
        let observer = try await client(server)
        let refusals = CallbackLog<RedisRefusal>()
        let states = CallbackLog<RedisState>()
        let client = try await client(server, states: states, refusals: refusals)
        let events = CallbackLog<RedisSubscriberEvent>()
        let subscriber = client.subscriber { events.add($0) }
        #expect(await eventually { events.entries.contains(.connected) })

        _ = try await observer.send(["REPLICAOF", "127.0.0.1", "1"])
        let write = RedisScript("return redis.call('SET', 'k', 'v')", name: "write")
        guard case .unavailable(let reason) = await client.failure(of: .script(write, keys: [])) else {
            Issue.record("a replica's refusal was taken for an answer")
            return
        }
        #expect(reason.contains("READONLY"))
        #expect(refusals.entries.map(\.code) == ["READONLY"] && refusals.entries.map(\.command) == ["write"])
        #expect(await eventually { client.state.reason == "Redis is a replica, which takes no writes" })
        // The subscriber cannot ask for the role, and leaves together with the client.
        #expect(await eventually { events.entries.contains { if case .disconnected = $0 { true } else { false } } })
        #expect(await eventually { subscriber.state.reason == "Redis is a replica, which takes no writes" })

        _ = try await observer.send(["REPLICAOF", "NO", "ONE"])
        #expect(await eventually { client.state == .connected && subscriber.state == .connected })
        #expect(try await client.run(write, keys: []).text == "OK")
        for each in [client, observer] { await each.close() }
        await subscriber.close()
    }

    @Test func refusalsAreReportedWithTheirCodes() async throws {
        let server = try await RedisServer()
        let refusals = CallbackLog<RedisRefusal>()
        let client = try await client(server, refusals: refusals)
        _ = try await client.send(["CONFIG", "SET", "maxmemory", "1"])
        _ = await client.reply(["SET", "k", "v"])
        _ = await client.reply(.script(RedisScript("return redis.call('SET', 'k', 'v')", name: "write"), keys: []))
        _ = await client.reply(.script(RedisScript("return redis.call('NOSUCH')", name: "new"), keys: []))
        _ = try await client.send(["CONFIG", "SET", "maxmemory", "0"])
        _ = try await client.send(["ACL", "SETUSER", "default", "-get"])
        _ = await client.reply(["GET", "k"])
        #expect(
            refusals.entries.map { "\($0.code) \($0.command) \($0.isScript)" } == [
                "OOM SET false", "OOM write true", "UNKNOWN new true", "NOPERM GET false",
            ])
        #expect(client.state == .connected)
        await client.close()
    }

    @Test func forbiddenSubscriptionsAreReported() async throws {
        let server = try await RedisServer()
        let client = try await client(server)
        _ = try await client.send(["ACL", "SETUSER", "default", "resetchannels"])
        let subscriber = client.subscriber { _ in }
        subscriber.subscribe([Array("a".utf8)])
        #expect(await eventually { subscriber.state.reason == "Redis refuses subscriptions (NOPERM)" })
        _ = try await client.send(["ACL", "SETUSER", "default", "allchannels"])
        #expect(await eventually { subscriber.state == .connected })
        await client.close()
        await subscriber.close()
    }

    @Test func aReplicaIsAskedAgainUntilItIsPrimary() async throws {
        let peer = try ScriptedPeer { connection, received in
            let isGreeting = String(decoding: received, as: UTF8.self).contains("HELLO")
            let replica = greeting.replacing("master", with: "replica")
            return [Array((!isGreeting ? ":1\r\n" : connection < 3 ? replica : greeting).utf8)]
        }
        let client = RedisClient(RedisEndpoint(host: "127.0.0.1", port: peer.port), options: .brisk)
        #expect(await eventually { client.state == .connected })
        #expect(try await client.send(["ANY"]).integer == 1)
        await client.close()
    }
}

extension RedisClient {
    fileprivate func failure(of command: RedisCommand) async -> RedisError? {
        if case .failure(let error) = await reply(command) { error } else { nil }
    }
}
