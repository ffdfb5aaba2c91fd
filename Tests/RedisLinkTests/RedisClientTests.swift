import Crypto
import RedisLink
import RedisTestSupport
import Synchronization
import TestSupport
import Testing

extension RedisOptions {
    /// Reconnects fast. Time limits are those of a busy machine.
    static var brisk: RedisOptions {
        var options = RedisOptions()
        options.backoffBase = .milliseconds(20)
        options.backoffLimit = .milliseconds(100)
        options.commandTimeout = .seconds(60)
        options.livenessTimeout = .seconds(60)
        return options
    }
}

@Suite(.timeLimit(.minutes(5))) struct RedisClientTests {
    private let ok = RedisValue.string(Array("OK".utf8))

    @Test func answersOfEveryKindComeBack() async throws {
        let server = try await RedisServer()
        let client = try await connect(RedisEndpoint(host: "localhost", port: server.port))
        #expect(try await client.send(["SET", "k", "a\r\nb"]) == ok)
        #expect(try await client.send(["GET", "k"]).text == "a\r\nb")
        #expect(try await client.send(["GET", "none"]).isNull)
        #expect(try await client.send(["INCRBY", "n", 41]).integer == 41)
        #expect(try await client.send(["MGET", "k", "none"]) == .array([.string(Array("a\r\nb".utf8)), .null]))
        let script = RedisScript("return {1, {'x'}, redis.error_reply('OH no')}")
        let answer = RedisValue.array([.integer(1), .array([.string([120])]), .error(code: "OH", message: "no")])
        for _ in 1...2 { #expect(try await client.run(script, keys: []) == answer) }
        await #expect(throws: RedisError.server(code: "ERR", message: "value is not an integer or out of range")) {
            try await client.send(["INCR", "k"])
        }
        await client.close()
        #expect(client.state == .closed)
        await #expect(throws: RedisError.unavailable(reason: "closed")) { try await client.send(["PING"]) }
        // A caller may hold a lock that its completion takes.
        let lock = Mutex([RedisClient.Reply]())
        lock.withLock { _ in client.perform([["PING"]]) { replies in lock.withLock { $0 = replies } } }
        #expect(await eventually { lock.withLock { $0 } == [.failure(.unavailable(reason: "closed"))] })
    }

    @Test func manyCallersEachGetTheirOwnAnswer() async throws {
        let server = try await RedisServer()
        let client = try await connect(RedisEndpoint(host: "127.0.0.1", port: server.port))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 1...2000 {
                group.addTask { try await client.send(["ECHO", RedisArgument(number)]).text == String(number) }
            }
            for try await isOwn in group { #expect(isOwn) }
        }
        await client.close()
    }

    @Test func aBatchIsAnsweredInOrderWithItsErrors() async throws {
        let server = try await RedisServer()
        let client = try await connect(RedisEndpoint(host: "127.0.0.1", port: server.port))
        let replies = await withCheckedContinuation { continuation in
            client.perform([["SET", "k", "v"], ["LPUSH", "k", "x"], ["GET", "k"]]) {
                continuation.resume(returning: $0)
            }
        }
        #expect(replies.count == 3)
        #expect(replies[0] == .success(ok))
        #expect(throws: RedisError.self) { try replies[1].get() }
        #expect(try replies[2].get().text == "v")
        await client.close()
    }

    @Test func largeValuesPassInPieces() async throws {
        let server = try await RedisServer()
        let client = try await connect(RedisEndpoint(host: "127.0.0.1", port: server.port))
        let value = (0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await client.send(["SET", "big", RedisArgument(value)]) == ok)
        #expect(try await client.send(["GET", "big"]).bytes == value)
        await client.close()
    }

    @Test func aScriptThatRedisForgotIsSentAgain() async throws {
        let server = try await RedisServer()
        let client = try await connect(RedisEndpoint(host: "127.0.0.1", port: server.port))
        let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        for expected: Int64 in [2, 4] {
            #expect(try await client.run(script, keys: ["n"], arguments: [2]).integer == expected)
        }
        for round: Int64 in 1...3 {
            #expect(try await client.send(["SCRIPT", "FLUSH"]) == ok)
            let values = await withCheckedContinuation { continuation in
                let run = RedisCommand.script(script, keys: ["n"], arguments: [1])
                client.perform([run, run, run]) { continuation.resume(returning: $0) }
            }
            let numbers = try values.map { try $0.get().integer }
            #expect(numbers == (1...3).map { 4 + (round - 1) * 3 + $0 })
        }
        await client.close()
    }

    @Test func thePasswordUserAndDatabaseAreUsed() async throws {
        let server = try await RedisServer(password: "open sesame")
        var endpoint = RedisEndpoint(host: "127.0.0.1", port: server.port, password: "open sesame", database: 5)
        let client = try await connect(endpoint)
        #expect(try await client.send(["SET", "k", "v"]) == ok)
        #expect(try await client.send(["ACL", "SETUSER", "chat", "on", ">other", "~*", "+@all"]) == ok)
        endpoint.access.user = "chat"
        endpoint.access.password = "other"
        let second = try await connect(endpoint)
        #expect(try await second.send(["GET", "k"]).text == "v")
        #expect(try await second.send(["ACL", "WHOAMI"]).text == "chat")
        await second.close()
        await client.close()
    }

    @Test func aWrongPasswordIsReportedWithoutThePassword() async throws {
        let server = try await RedisServer(password: "right")
        for (password, code) in [("swordfish", "WRONGPASS"), (nil, "NOAUTH")] {
            let endpoint = RedisEndpoint(host: "127.0.0.1", port: server.port, password: password)
            let states = CallbackLog<RedisState>()
            let client = RedisClient(endpoint, options: .brisk) { states.add($0) }
            #expect(await eventually { states.entries.contains { $0.reason?.contains(code) == true } })
            await #expect(throws: RedisError.self) { try await client.send(["PING"]) }
            #expect(!states.entries.contains { $0.reason?.contains("swordfish") == true })
            await client.close()
        }
    }

    @Test func tlsIsUsedAndCertificatesAreChecked() async throws {
        let certificates = try Certificates()
        let server = try await RedisServer(certificates: certificates)
        let port = try #require(server.tlsPort)
        let value = [UInt8](repeating: 7, count: 3_000_000)
        for host in ["localhost", "127.0.0.1"] {
            let trusting = RedisEndpoint(host: host, port: port, tls: .authorities(file: certificates.authority))
            let client = try await connect(trusting)
            #expect(try await client.send(["SET", "k", RedisArgument(value)]) == ok)
            #expect(try await client.send(["GET", "k"]).bytes == value)
            await client.close()
        }

        let strict = RedisClient(RedisEndpoint(host: "localhost", port: port, tls: .system), options: .brisk)
        #expect(await eventually { strict.state.reason?.contains("certificate verify failed") == true })
        await strict.close()

        let missing = RedisEndpoint(host: "localhost", port: port, tls: .authorities(file: "/nowhere.pem"))
        let lost = RedisClient(missing, options: .brisk)
        #expect(await eventually { lost.state.reason?.contains("/nowhere.pem") == true })
        await lost.close()
    }

    private func connect(_ endpoint: RedisEndpoint) async throws -> RedisClient {
        let client = RedisClient(endpoint, options: .brisk)
        try #require(await eventually { client.state == .connected }, "\(client.state)")
        return client
    }
}

extension RedisState {
    /// Why it is down.
    var reason: String? { if case .disconnected(let reason) = self { reason } else { nil } }
}
