import ChatDomain
import Foundation
import RedisLink
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

@testable import MessagingRedis

/// Faults that only the bus over Redis can meet.
@Suite(.timeLimit(.minutes(5))) struct RedisRoomBusTests {
    @Test func killedAndRestartedUnderLoadItIsRestoredInOrder() async throws {
        let server = try await RedisServer()
        let home = BusHome.redis(server)
        let (ann, bob) = (try await home.instance("a"), try await home.instance("b"))
        await ann.enter("r", "s")
        let isDone = CallbackLog<Bool>()
        let load = Task {
            var number = 0
            while isDone.entries.isEmpty {
                number += 1
                bob.publish([String(number)], in: "r")
                try? await Task.sleep(for: .milliseconds(1))
            }
            return number
        }
        for round in 1...3 {
            #expect(await eventually { ann.events.texts(in: "r").count > round * 100 })
            server.kill()
            #expect(await eventually { ann.events.disconnections == round })
            try await server.start()
            #expect(await eventually { ann.events.connections == round + 1 && bob.canPublish })
        }
        let known = ann.events.texts(in: "r").count
        #expect(await eventually { ann.events.texts(in: "r").count > known + 100 })
        isDone.add(true)
        let last = await load.value
        #expect(await eventually { ann.events.texts(in: "r").last == String(last) })

        // They come in order, but for those that were sent again as their outcome was unknown: one more time for each break.
        let numbers = ann.events.texts(in: "r").compactMap { Int($0) }
        var seen: Set<Int> = []
        let first = numbers.filter { seen.insert($0).inserted }
        #expect(first == first.sorted())
        #expect(Dictionary(grouping: numbers) { $0 }.values.allSatisfy { $0.count <= 4 })
        #expect(ann.events.subscribed.count == 2, "what is restored is not announced one by one")
        await ann.close()
        await bob.close()
    }

    @Test func publicationsWaitForTheNextConnection() async throws {
        let server = try await RedisServer()
        let home = BusHome.redis(server)
        let (ann, bob) = (try await home.instance("a"), try await home.instance("b"))
        await ann.enter("r")
        let admin = RedisClient(RedisEndpoint(host: "127.0.0.1", port: server.port))
        #expect(await eventually { admin.state == .connected })
        // Only the command connections go; the subscriptions stay, so that later publications arrive.
        _ = try await admin.send(["CONFIG", "SET", "maxclients", 1])
        _ = try await admin.send(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        #expect(await eventually { !bob.canPublish })
        bob.publish(["1", "2"], in: "r")
        bob.publish(["3"], in: "r")
        _ = try await admin.send(["CONFIG", "SET", "maxclients", 100])
        #expect(await eventually { ann.events.texts(in: "r") == ["1", "2", "3"] })
        await admin.close()
        await ann.close()
        await bob.close()
    }

    @Test func foreignMessagesAreDroppedAndCounted() async throws {
        let server = try await RedisServer()
        let ann = try await BusHome.redis(server).instance("a")
        await ann.enter("r")
        let stranger = RedisClient(RedisEndpoint(host: "127.0.0.1", port: server.port))
        #expect(await eventually { stranger.state == .connected })
        let texts = [
            "", "hello", "{}", #"{"instance":"b","data":1}"#, #"{"deployment":"0-test","instance":"b"}"#,
            #"{"deployment":"","instance":"b","data":1}"#, #"{"deployment":"0 test","instance":"b","data":1}"#,
            #"{"deployment":"0-test","instance":"","data":1}"#, #"{"deployment":"0-test","instance":"b","data":}"#,
            #"{"deployment":"0-test","instance":"with space","data":1}"#,
            #"{"deployment":"0-test","instance":"12345678901234567","data":1}"#,
            #"{"deployment":"0-test","instance":"b","data":1"#,
        ]
        for text in texts { stranger.perform([["PUBLISH", "chat:room:r", RedisArgument(text)]]) }
        stranger.perform([
            ["PUBLISH", "chat:room:r", RedisArgument(#"{"deployment":"0-test","instance":"b","data":"end"}"#)]
        ])
        #expect(await eventually { ann.events.texts(in: "r") == ["end"] })
        let metrics = String(decoding: ann.registry.render(), as: UTF8.self)
        #expect(metrics.contains("chat_bus_dropped_total{cause=\"malformed\"} \(texts.count)\n"))
        #expect(metrics.contains("chat_bus_received_total 1\n"))
        await stranger.close()
        await ann.close()
    }

    @Test func eventsOfAnotherDeploymentOnTheSameServerDoNotCome() async throws {
        let server = try await RedisServer()
        let ann = try await BusHome.redis(server).instance("a")
        await ann.enter("r")
        // Channels are not part of a database: both deployments are on one channel, and their instances may have the same names.
        let other = BusPeer(redis: server, instance: "b", deployment: DeploymentID(redisDatabase: 1, store: "test"))
        other.start()
        #expect(await eventually { other.canPublish })
        other.publish(["theirs"], in: "r")
        // Redis has published that once it answers the next command of the same connection.
        _ = await other.bus.listeners(of: "r")
        let bob = try await BusHome.redis(server).instance("b")
        bob.publish(["ours"], in: "r")
        #expect(await eventually { !ann.events.texts(in: "r").isEmpty })
        let metrics = String(decoding: ann.registry.render(), as: UTF8.self)
        #expect(ann.events.texts(in: "r") == ["ours"])
        #expect(metrics.contains("chat_bus_dropped_total{cause=\"foreign\"} 1\n"))
        await ann.close()
        await bob.close()
        await other.close()
    }

    @Test func publicationsAreJSON() async throws {
        let server = try await RedisServer()
        let bob = try await BusHome.redis(server).instance("b")
        let heard = CallbackLog<RedisSubscriberEvent>()
        let channel = Array("chat:room:r".utf8)
        let service = RedisSubscriber(RedisEndpoint(host: "127.0.0.1", port: server.port)) { heard.add($0) }
        service.subscribe([channel])
        #expect(await eventually { heard.entries.contains(.subscribed(channel: channel)) })
        bob.bus.publish([("r", Array(#"{"event":"new_message","seq":7}"#.utf8))])
        #expect(await eventually { heard.entries.contains { if case .message = $0 { true } else { false } } })
        guard case .message(_, let payload) = try #require(heard.entries.last) else { return }
        let object = try #require(try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any])
        #expect(object["deployment"] as? String == "0-test")
        #expect(object["instance"] as? String == "b")
        #expect((object["data"] as? [String: Any])?["seq"] as? Int == 7)
        await service.close()
        await bob.close()
    }

    @Test func withoutRedisNothingBlocksAndPublicationsWait() async throws {
        let server = try await RedisServer()
        server.kill()
        let (ann, bob) = (BusPeer(redis: server, instance: "a"), BusPeer(redis: server, instance: "b"))
        ann.start()
        bob.start()
        ann.bus.subscribe("r")
        bob.publish(["lost or late"], in: "r")
        #expect(ann.events.entries.isEmpty)
        try await server.start()
        #expect(await eventually { ann.events.connections == 1 && bob.canPublish })
        #expect(ann.events.subscribed == ["r"])
        bob.publish(["heard"], in: "r")
        #expect(await eventually { ann.events.texts(in: "r").last == "heard" })
        await ann.close()
        await bob.close()
    }

    @Test func aBacklogIsBoundedInBytesAndAge() {
        func at(_ milliseconds: Int64) -> Moment { Moment(milliseconds: milliseconds) }
        var backlog = PublicationBacklog<Int>(maximumBytes: 100, maximumAge: .milliseconds(10))
        var lost = 0
        for number in 1...30 {
            lost += backlog.add(.init(order: UInt64(number), bytes: 10, since: at(0), item: number))
        }
        let kept = backlog.takeAll(at: at(10)).items.map(\.item)
        #expect(kept.count + lost == 30)
        #expect(kept == Array((30 - kept.count + 1)...30), "the newest are kept")
        #expect((7...10).contains(kept.count))

        #expect(backlog.add(.init(order: 2, bytes: 1, since: at(5), item: 2)) == 0)
        #expect(backlog.add(.init(order: 1, bytes: 1, since: at(5), item: 1)) == 0)
        #expect(backlog.add(.init(order: 0, bytes: 1, since: at(0), item: 0)) == 0)
        let taken = backlog.takeAll(at: at(15))
        #expect(taken.items.map(\.item) == [1, 2])
        #expect(taken.expired == 1)
        #expect(backlog.takeAll(at: at(15)).items.isEmpty)
        #expect(backlog.add(.init(order: 3, bytes: 101, since: at(0), item: 3)) == 1)
    }
}
