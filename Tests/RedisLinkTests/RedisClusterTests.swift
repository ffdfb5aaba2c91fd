import RedisTestSupport
import Synchronization
import TestSupport
import Testing

@testable import RedisLink

/// The client of a cluster of real servers.
@Suite(.timeLimit(.minutes(5)), .serialized) struct RedisClusterTests {
    private typealias Events = CallbackLog<RedisSubscriberEvent>

    private static let room = Array("chat:room:r".utf8)
    private static let slot = Int(HashSlot(of: room).number)

    private func client(_ cluster: RedisCluster) async throws -> RedisClient {
        let seeds = cluster.nodes.suffix(1).map { RedisAddress(host: "127.0.0.1", port: $0.port) }
        let client = RedisClient(.cluster(seeds, RedisAccess()), options: .brisk)
        #expect(await eventually { client.state == .connected && client.shortfall == nil })
        return client
    }

    /// A node without the slot.
    private func target(_ cluster: RedisCluster) throws -> RedisServer {
        let owner = try cluster.owner(of: Self.slot)
        return try #require(cluster.nodes.first { $0 !== owner })
    }

    @Test func eachCommandAndScriptGoesToItsNode() async throws {
        let cluster = try await RedisCluster(primaries: 3)
        let client = try await client(cluster)
        let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        for number in 1...60 {
            _ = try await client.send(["SET", "k\(number)", RedisArgument(number)])
            // On every node the script is sent in full once, and after it was forgotten.
            if number == 30 { for node in cluster.nodes { try node.cli("SCRIPT", "FLUSH") } }
            #expect(try await client.run(script, keys: ["k\(number)"], arguments: [1]).integer == Int64(number) + 1)
        }
        let sizes = try cluster.nodes.map { try $0.cli("DBSIZE") }
        #expect(sizes.compactMap { Int($0) }.reduce(0, +) == 60)
        #expect(!sizes.contains("0"))
        let refused = await #expect(throws: RedisError.self) { try await client.send(["MGET", "k1", "k2"]) }
        #expect(refused.map { "\($0)" }?.contains("CROSSSLOT") == true)
        await client.close()
        cluster.kill()
    }

    @Test func aMovedSlotLosesAndReordersNothing() async throws {
        let cluster = try await RedisCluster(primaries: 2)
        let client = try await client(cluster)
        let replies = Mutex<[RedisClient.Reply]>([])
        let script = RedisScript("redis.call('RPUSH', KEYS[1], ARGV[1]) return 1")
        @Sendable func push(_ numbers: ClosedRange<Int>) {
            let commands: [RedisCommand] = numbers.map {
                .script(script, keys: [RedisArgument(Self.room)], arguments: [RedisArgument($0)])
            }
            client.perform(commands) { new in replies.withLock { $0 += new } }
        }
        push(1...500)
        let target = try target(cluster)
        try await cluster.move(Self.slot, to: target) { push(501...1000) }
        push(1001...1500)
        #expect(await eventually { replies.withLock { $0.count } == 1500 })
        #expect(replies.withLock { $0.allSatisfy { $0 == .success(.integer(1)) } })
        let list = try await client.send(["LRANGE", RedisArgument(Self.room), 0, -1]).array?.compactMap(\.text)
        #expect(list == (1...1500).map(String.init))
        #expect(try target.cli("EXISTS", "chat:room:r") == "1")
        await client.close()
        cluster.kill()
    }

    @Test func shardedChannelsFollowTheirSlotInOrder() async throws {
        let cluster = try await RedisCluster(primaries: 2)
        let (publisher, listener, events) = (try await client(cluster), try await client(cluster), Events())
        let subscriber = listener.subscriber(usesShardedChannels: true) { events.add($0) }
        subscriber.subscribe([Self.room, Array("chat:room:other".utf8)])
        #expect(await eventually { events.subscribed.count == 2 })
        let published = Mutex(0)
        @Sendable func publish(_ numbers: ClosedRange<Int>) {
            let commands = numbers.map { RedisCommand.publish(Array("\($0)".utf8), on: Self.room) }
            publisher.perform(commands) { replies in
                published.withLock { $0 += replies.count { if case .success = $0 { true } else { false } } }
            }
        }
        publish(1...100)
        #expect(await eventually { events.messages(on: "chat:room:r").count == 100 })
        try await cluster.move(Self.slot, to: try target(cluster)) { publish(101...200) }
        publish(201...300)
        #expect(await eventually { published.withLock { $0 } == 300 })
        let hasMoved = await eventually {
            events.entries.contains { if case .moved(Self.room) = $0 { true } else { false } }
        }
        #expect(hasMoved)
        // A node whose view is old may be asked meanwhile, so the channel may move more than once.
        var number = 300
        let isHeard = await eventually {
            number += 1
            publish(number...number)
            let text = "\(number)"
            return await eventually(within: .milliseconds(200)) { events.messages(on: "chat:room:r").last == text }
        }
        #expect(isHeard)
        var last = 0
        var hasMovedSince = false
        for event in events.entries {
            switch event {
            case .moved(Self.room): hasMovedSince = true
            case .message(Self.room, let payload):
                let number = Int(String(decoding: payload, as: UTF8.self)) ?? 0
                #expect(number == last + 1 || hasMovedSince && number > last, "\(number) comes after \(last)")
                (last, hasMovedSince) = (number, false)
            default: break
            }
        }
        #expect(events.connections == 1)
        #expect(try await publisher.send(.subscriberCount(of: Self.room)).array?.last?.integer == 1)
        await subscriber.close()
        for client in [publisher, listener] { await client.close() }
        cluster.kill()
    }

    @Test func anUncoveredSlotIsReportedAndTheOthersAreServed() async throws {
        let uncovered = Self.slot..<(Self.slot + 1)
        let cluster = try await RedisCluster(
            primaries: 2, uncovered: uncovered, ["--cluster-require-full-coverage", "no"])
        let seeds = cluster.nodes.map { RedisAddress(host: "127.0.0.1", port: $0.port) }
        let client = RedisClient(.cluster(seeds, RedisAccess()), options: .brisk)
        #expect(await eventually { client.shortfall?.contains("slots \(Self.slot) are not served") == true })
        #expect(client.state == .connected)
        await #expect(throws: RedisError.self) { try await client.send(["GET", RedisArgument(Self.room)]) }
        for number in 1...20 { _ = try await client.send(["SET", "k\(number)", "x"]) }
        await client.close()
        cluster.kill()
    }

    /// Scripts with several keys run at neither node while their slot is moved, and at the new one afterwards.
    @Test func scriptsOfSeveralKeysWaitOutAMove() async throws {
        let cluster = try await RedisCluster(primaries: 2)
        let client = try await client(cluster)
        let script = RedisScript("redis.call('SET', KEYS[1] .. 'a', 1) return redis.call('INCR', KEYS[1] .. 'b')")
        let slot = Int(HashSlot(of: Array("{t}".utf8)).number)
        func run() async throws -> RedisValue { try await client.run(script, keys: ["{t}:", "{t}:-"]) }
        #expect(try await run().integer == 1)
        let owner = try cluster.owner(of: slot)
        let target = try #require(cluster.nodes.first { $0 !== owner })
        try await cluster.move(slot, to: target) {
            await #expect(throws: RedisError.self) { try await run() }
        }
        #expect(try await run().integer == 2)
        await client.close()
        cluster.kill()
    }

    @Test func withoutAnyNodeItIsDownAndComesBack() async throws {
        let cluster = try await RedisCluster(primaries: 1)
        let client = try await client(cluster)
        cluster.kill()
        #expect(await eventually { if case .disconnected = client.state { true } else { false } })
        await #expect(throws: RedisError.self) { try await client.send(["GET", "x"]) }
        try await cluster.nodes[0].start()
        #expect(await eventually { client.state == .connected })
        #expect(await eventually { (try? await client.send(["SET", "x", "1"])) != nil })
        await client.close()
        cluster.kill()
    }
}
