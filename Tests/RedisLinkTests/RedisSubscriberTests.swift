import RedisLink
import RedisTestSupport
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisSubscriberTests {
    private typealias Events = CallbackLog<RedisSubscriberEvent>

    @Test func messagesComeFromSubscribedOnAndNotAfterwards() async throws {
        let server = try await RedisServer()
        let (client, events) = (try await publisher(server), Events())
        let subscriber = subscribe(server, events)
        subscriber.subscribe([Array("a".utf8), Array("b".utf8)])
        #expect(await eventually { events.subscribed == ["a", "b"] })
        for text in ["1", "2", "3"] {
            #expect(try await client.send(["PUBLISH", "a", RedisArgument(text)]).integer == 1)
        }
        #expect(try await client.send(["PUBLISH", "c", "x"]).integer == 0)
        #expect(await eventually { events.messages(on: "a") == ["1", "2", "3"] })

        subscriber.unsubscribe([Array("a".utf8)])
        #expect(try await eventually { try await client.send(["PUBLISH", "a", "4"]).integer == 0 })
        #expect(try await client.send(["PUBLISH", "b", "5"]).integer == 1)
        #expect(await eventually { events.messages(on: "b") == ["5"] })
        #expect(!events.messages(on: "a").contains("4"))
        await subscriber.close()
        await client.close()
    }

    @Test func channelsComeAndGoWhileTheOrderHolds() async throws {
        let server = try await RedisServer()
        let (client, events) = (try await publisher(server), Events())
        let subscriber = subscribe(server, events)
        subscriber.subscribe([Array("steady".utf8)])
        #expect(await eventually { events.subscribed == ["steady"] })
        for number in 1...2000 {
            client.perform([["PUBLISH", "steady", RedisArgument(number)]])
            let channel = Array("room \(number % 50)".utf8)
            if number % 3 == 0 { subscriber.unsubscribe([channel]) } else { subscriber.subscribe([channel]) }
        }
        #expect(await eventually { events.messages(on: "steady").count == 2000 })
        #expect(events.messages(on: "steady") == (1...2000).map(String.init))
        await subscriber.close()
        await client.close()
    }

    @Test func tenThousandChannelsAreRestored() async throws {
        let server = try await RedisServer()
        let (client, events) = (try await publisher(server), Events())
        let subscriber = subscribe(server, events)
        let channels = (1...10_000).map { Array("chat:room:\($0)".utf8) }
        subscriber.subscribe(channels)
        #expect(await eventually { events.subscribed.count == 10_000 })
        #expect(try await client.send(["PUBSUB", "CHANNELS"]).array?.count == 10_000)

        #expect(try await client.send(["CLIENT", "KILL", "TYPE", "pubsub"]).integer == 1)
        #expect(await eventually { events.connections == 2 })
        #expect(try await client.send(["PUBSUB", "CHANNELS"]).array?.count == 10_000)
        #expect(events.subscribed.count == 10_000, "restored ones are not announced again")
        #expect(try await client.send(["PUBLISH", "chat:room:9999", "x"]).integer == 1)
        #expect(await eventually { events.messages(on: "chat:room:9999") == ["x"] })
        await subscriber.close()
        await client.close()
    }

    @Test func aRestartedServerIsSubscribedAgain() async throws {
        let server = try await RedisServer()
        let (client, events) = (try await publisher(server), Events())
        let subscriber = subscribe(server, events)
        subscriber.subscribe([Array("a".utf8)])
        #expect(await eventually { events.subscribed == ["a"] })
        for round in 1...3 {
            server.kill()
            #expect(await eventually { events.disconnections == round })
            if round == 2 { subscriber.subscribe([Array("late".utf8)]) }
            try await server.start()
            #expect(await eventually { events.connections == round + 1 })
            // The publisher's own connection may still be the broken one.
            #expect(
                await eventually { (try? await client.send(["PUBLISH", "a", RedisArgument(round)]).integer) == 1 })
            #expect(await eventually { events.messages(on: "a").last == String(round) })
        }
        #expect(events.subscribed == ["a", "late"])
        await subscriber.close()
        await client.close()
    }

    @Test func aSubscriberOutlivesItsClient() async throws {
        let server = try await RedisServer()
        let (client, other, events) = (try await publisher(server), try await publisher(server), Events())
        let subscriber = client.subscriber { events.add($0) }
        subscriber.subscribe([Array("a".utf8)])
        #expect(await eventually { events.subscribed == ["a"] })
        await client.close()
        await client.close()
        #expect(try await other.send(["PUBLISH", "a", "x"]).integer == 1)
        #expect(await eventually { events.messages(on: "a") == ["x"] })
        await subscriber.close()
        #expect(try await eventually { try await other.send(["PUBLISH", "a", "y"]).integer == 0 })
        await other.close()
    }

    @Test func aPausedServerIsNoticed() async throws {
        let server = try await RedisServer()
        let events = Events()
        var options = RedisOptions.brisk
        options.livenessInterval = .milliseconds(100)
        options.livenessTimeout = .milliseconds(200)
        options.connectTimeout = .milliseconds(200)
        let subscriber = subscribe(server, events, options)
        subscriber.subscribe([Array("a".utf8)])
        #expect(await eventually { events.subscribed == ["a"] })
        // On a busy machine the connection may break by itself too.
        let before = events.disconnections
        server.pause()
        #expect(await eventually { events.disconnections > before })
        let connections = events.connections
        server.resume()
        #expect(await eventually { events.connections > connections })
        await subscriber.close()
    }

    @Test func anUnexpectedReplyClosesTheConnection() async throws {
        let peer = try ScriptedPeer { connection, received in
            let isGreeting = String(decoding: received, as: UTF8.self).contains("HELLO")
            let pong = isGreeting ? greeting : "+restored\r\n"
            return [Array((connection == 1 && !isGreeting ? "*2\r\n$3\r\nwhy\r\n:1\r\n" : pong).utf8)]
        }
        let events = Events()
        let endpoint = RedisEndpoint(host: "127.0.0.1", port: peer.port)
        let states = CallbackLog<RedisState>()
        let subscriber = RedisSubscriber(endpoint, options: .brisk, stateChanged: { states.add($0) }) { events.add($0) }
        #expect(await eventually { events.connections == 1 })
        #expect(states.entries.contains(.disconnected(reason: "not a message to a subscriber")))
        await subscriber.close()
    }

    private func publisher(_ server: RedisServer) async throws -> RedisClient {
        let client = RedisClient(RedisEndpoint(host: "127.0.0.1", port: server.port), options: .brisk)
        try #require(await eventually { client.state == .connected }, "\(client.state)")
        return client
    }

    private func subscribe(
        _ server: RedisServer, _ events: Events, _ options: RedisOptions = .brisk
    ) -> RedisSubscriber {
        RedisSubscriber(RedisEndpoint(host: "127.0.0.1", port: server.port), options: options) { events.add($0) }
    }
}

extension CallbackLog<RedisSubscriberEvent> {
    var subscribed: [String] {
        entries.compactMap {
            if case .subscribed(let channel) = $0 { String(decoding: channel, as: UTF8.self) } else { nil }
        }
    }
    var connections: Int { entries.count { $0 == .connected } }
    var disconnections: Int {
        entries.count { if case .disconnected = $0 { true } else { false } }
    }
    func messages(on channel: String) -> [String] {
        entries.compactMap {
            guard case .message(Array(channel.utf8), let payload) = $0 else { return nil }
            return String(decoding: payload, as: UTF8.self)
        }
    }
}
