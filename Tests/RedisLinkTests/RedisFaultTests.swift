import RedisLink
import RedisTestSupport
import TestSupport
import Testing

/// Commands while Redis, or a server in its place, misbehaves.
@Suite(.timeLimit(.minutes(5))) struct RedisFaultTests {
    @Test func killedAndRestartedUnderLoadItServesAgain() async throws {
        let server = try await RedisServer()
        let client = try await connect(port: server.port)
        let isDone = CallbackLog<Bool>()
        let outcomes = CallbackLog<RedisError?>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 1...8 {
                group.addTask {
                    while isDone.entries.isEmpty {
                        do throws(RedisError) {
                            _ = try await client.send(["INCR", "k\(worker)"])
                            outcomes.add(nil)
                        } catch {
                            outcomes.add(error)
                            _ = await eventually { client.state == .connected || !isDone.entries.isEmpty }
                        }
                    }
                }
            }
            for _ in 1...3 {
                let before = outcomes.entries.count
                #expect(await eventually { outcomes.entries.count > before + 100 })
                server.kill()
                #expect(await eventually { outcomes.entries.dropFirst(before).contains { $0 != nil } })
                try await server.start()
                #expect(await eventually { client.state == .connected })
                let known = outcomes.entries.count
                #expect(await eventually { outcomes.entries.dropFirst(known).contains(nil) })
            }
            isDone.add(true)
            try await group.waitForAll()
        }
        let errors = outcomes.entries.compactMap { $0 }
        #expect(!errors.isEmpty)
        for error in errors {
            switch error {
            case .unavailable, .interrupted: break
            case .timeout, .server: Issue.record("\(error)")
            }
        }
        await client.close()
    }

    @Test func aPausedServerIsLeftAndServesAgain() async throws {
        let server = try await RedisServer()
        var options = RedisOptions.brisk
        options.livenessInterval = .milliseconds(200)
        options.livenessTimeout = .milliseconds(200)
        options.connectTimeout = .milliseconds(300)
        let states = CallbackLog<RedisState>()
        let client = try await connect(port: server.port, options) { states.add($0) }
        // On a busy machine the connection may break by itself, so each step is tried until it succeeds.
        #expect(await eventually { (try? await client.send(["SET", "k", "v"])) != nil })
        server.pause()
        states.clear()
        guard case .failure = await client.reply(["GET", "k"]) else {
            Issue.record("a paused server answered")
            return
        }
        // The system still accepts connections for the paused server, which does not answer on them.
        #expect(await eventually { states.entries.contains(.disconnected(reason: "no answer within 0.3 seconds")) })
        #expect(states.entries.first?.reason?.contains("no answer") == true)
        server.resume()
        #expect(await eventually { (try? await client.send(["GET", "k"]).text) == "v" })
        await client.close()
    }

    @Test func aSilentConnectionIsPingedAndStays() async throws {
        let server = try await RedisServer()
        var options = RedisOptions.brisk
        options.livenessInterval = .milliseconds(20)
        let states = CallbackLog<RedisState>()
        let client = try await connect(port: server.port, options) { states.add($0) }
        let observer = try await connect(port: server.port)
        #expect(
            try await eventually {
                let statistics = try await observer.send(["INFO", "commandstats"]).text ?? ""
                let calls = statistics.split(separator: "cmdstat_ping:calls=").dropFirst().first?.prefix { $0.isNumber }
                return calls.flatMap { Int($0) } ?? 0 > 5
            })
        #expect(states.entries == [.connected])
        await observer.close()
        await client.close()
    }

    @Test func aSlowAnswerTimesOutAndIsNotTakenForTheNext() async throws {
        let server = try await RedisServer()
        var options = RedisOptions.brisk
        options.commandTimeout = .milliseconds(80)
        let client = try await connect(port: server.port, options)
        await #expect(throws: RedisError.timeout) { try await client.send(["BLPOP", "nothing", "0.3"]) }
        #expect(
            await eventually {
                (try? await client.send(["ECHO", "mine"]).text) == "mine"
            })
        #expect(client.state == .connected)
        await client.close()
    }

    @Test func aCallerWithAShorterLimitTimesOutSooner() async throws {
        let server = try await RedisServer()
        let client = try await connect(port: server.port)
        async let slow = client.send(["BLPOP", "list", "60"])
        let observer = try await connect(port: server.port)
        #expect(
            try await eventually {
                try await observer.send(["INFO", "clients"]).text?.contains("blocked_clients:1") == true
            })
        await #expect(throws: RedisError.timeout) { try await client.send(["PING"], within: .milliseconds(20)) }
        _ = try await observer.send(["LPUSH", "list", "x"])
        let popped = try await slow
        #expect(popped.array?.last?.text == "x")
        #expect(try await client.send(["ECHO", "y"], within: .seconds(60)).text == "y")
        await observer.close()
        await client.close()
    }

    @Test func pastTheBoundCommandsAreRefusedAtOnce() async throws {
        let server = try await RedisServer()
        var options = RedisOptions.brisk
        options.maximumInFlight = 10
        let client = try await connect(port: server.port, options)
        let commands = [["BLPOP", "nothing", "0.2"]] + Array(repeating: RedisCommand(["PING"]), count: 20)
        let replies = await withCheckedContinuation { continuation in
            client.perform(commands) { continuation.resume(returning: $0) }
        }
        let refused = replies.filter { $0 == .failure(.unavailable(reason: "too many commands under way")) }
        #expect(refused.count == 11)
        #expect(replies.prefix(10).allSatisfy { (try? $0.get()) != nil })
        await client.close()
    }

    @Test func closingFailsCommandsWithoutAnAnswer() async throws {
        let server = try await RedisServer()
        let client = try await connect(port: server.port)
        let reply = Task { await client.reply(["BLPOP", "nothing", "60"]) }
        let observer = try await connect(port: server.port)
        #expect(
            try await eventually {
                try await observer.send(["INFO", "clients"]).text?.contains("blocked_clients:1") == true
            })
        await client.close()
        #expect(await reply.value == .failure(.interrupted(reason: "closed")))
        await observer.close()
    }

    @Test func unreachableHostsAreNamedAndTriedAgain() async throws {
        let port = try RefusingPort()
        let states = CallbackLog<RedisState>()
        let client = RedisClient(RedisEndpoint(host: "127.0.0.1", port: port.number), options: .brisk) {
            states.add($0)
        }
        #expect(await eventually { states.entries.contains(.disconnected(reason: "Connection refused")) })
        guard case .failure(.unavailable) = await client.reply(["PING"]) else {
            Issue.record("a command was taken without a connection")
            return
        }
        await client.close()
        withExtendedLifetime(port) {}

        let nowhere = RedisClient(RedisEndpoint(host: "no-such-host.invalid"), options: .brisk)
        #expect(await eventually { nowhere.state.reason?.contains("cannot resolve no-such-host.invalid") == true })
        await nowhere.close()
    }

    @Test func answersInSingleBytesAreJoined() async throws {
        let peer = try ScriptedPeer { _, received in
            let text = String(decoding: received, as: UTF8.self)
            let reply = text.contains("PING") ? greeting : "*2\r\n$5\r\nhello\r\n:7\r\n"
            return Array(reply.utf8).map { [$0] }
        }
        let client = try await connect(port: peer.port)
        let answer = try await client.send(["ANY"])
        #expect(answer == .array([.string(Array("hello".utf8)), .integer(7)]))
        await client.close()
    }

    @Test(arguments: [
        ("?nonsense\r\n", "malformed reply"), ("*2147483647\r\n", "malformed reply"),
        ("+1\r\n+2\r\n", "without a command"),
    ])
    func malformedRepliesCloseTheConnectionAndTheNextServes(_ nonsense: String, reason: String) async throws {
        let peer = try ScriptedPeer { connection, received in
            if String(decoding: received, as: UTF8.self).contains("PING") { return [Array(greeting.utf8)] }
            return [Array((connection == 1 ? nonsense : ":1\r\n").utf8)]
        }
        let states = CallbackLog<RedisState>()
        let client = try await connect(port: peer.port) { states.add($0) }
        _ = await client.reply(["ANY"])
        #expect(await eventually { states.entries.contains { $0.reason?.contains(reason) == true } })
        #expect(await eventually { client.state == .connected })
        #expect(try await client.send(["ANY"]).integer == 1)
        await client.close()
    }

    @Test func aServerThatIsNotRedisIsRefused() async throws {
        let peer = try ScriptedPeer { _, _ in [Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)] }
        let client = RedisClient(RedisEndpoint(host: "127.0.0.1", port: peer.port), options: .brisk)
        #expect(await eventually { client.state.reason?.contains("malformed reply") == true })
        await client.close()
    }

    private func connect(
        port: UInt16, _ options: RedisOptions = .brisk,
        stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in }
    ) async throws -> RedisClient {
        let endpoint = RedisEndpoint(host: "127.0.0.1", port: port)
        let client = RedisClient(endpoint, options: options, stateChanged: stateChanged)
        try #require(await eventually { client.state == .connected }, "\(client.state)")
        return client
    }
}

/// A scripted peer's answer to a greeting.
let greeting = "*4\r\n+version\r\n+7.0.15\r\n+role\r\n+master\r\n+PONG\r\n"

extension RedisClient {
    func reply(_ command: RedisCommand) async -> Reply {
        await withCheckedContinuation { continuation in
            perform([command]) { continuation.resume(returning: $0[0]) }
        }
    }
}
