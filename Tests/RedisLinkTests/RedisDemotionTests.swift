import RedisTestSupport
import Synchronization
import TestSupport
import Testing

@testable import RedisLink

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

    /// A server that can be replaced by another, as behind a name.
    private final class MovableServer: ServerLocator {
        private let port: Mutex<UInt16>

        init(_ port: UInt16) { self.port = Mutex(port) }

        func move(to port: UInt16) { self.port.withLock { $0 = port } }
        func observe(_ changed: @escaping @Sendable () -> Void) {}

        var location: ServerLocation {
            .servers([ServerCandidate(endpoint: RedisEndpoint(host: "127.0.0.1", port: port.withLock { $0 }))])
        }
    }

    @Test func subscribersLeaveTheServerOfTheLastConnection() async throws {
        let (old, new) = (try await RedisServer(), try await RedisServer())
        let server = MovableServer(old.port)
        let states = CallbackLog<RedisState>()
        let left = CallbackLog<UInt16>()
        let handle = LoopHandle<CommandConnection>(SharedLoop(nil, name: "redis")) { bound, loop in
            let connection = RedisConnection(server, .brisk, on: loop) { event in bound.post { $0.handle(event) } }
            return CommandConnection(
                connection, report: { states.add($0) }, refused: { _ in },
                didLeaveServer: { peer, _ in left.add(peer.port) })
        }
        #expect(await eventually { states.entries.last == .connected })
        func breakConnection() async throws {
            let before = states.entries.count
            let observer = try await client(old)
            _ = try await observer.send(["CLIENT", "KILL", "TYPE", "normal"])
            #expect(await eventually { states.entries.count > before && states.entries.last == .connected })
            await observer.close()
        }
        try await breakConnection()
        #expect(left.entries.isEmpty, "it is at the same server again")
        server.move(to: new.port)
        try await breakConnection()
        #expect(left.entries == [old.port])
        await handle.close { $0.close() }
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
