import ChatDomain
import ChatProtocol
import ChatTestSupport
import JSON
import TestSupport
import Testing

@testable import ChatCore

/// What instances answer about themselves: `SessionSurvey` and `RoomSurvey` with `SessionSummary`, `SessionOrder`, `RoomSummary` and
/// `RoomOrder`; `InstanceStats`; `InstanceControl` with `ReloadReport`.
@Suite struct FleetSurveyTests {
    private func ask(_ question: FleetQuestion, of name: String? = nil, in chat: ChatUnderTest) async throws
        -> FleetAnswers
    {
        let done = CallbackLog<FleetAnswers?>()
        Task { [services = chat.services, done] in
            done.add(try? await services.askFleet(question, of: name.map { InstanceID($0) }))
        }
        #expect(await chat.run { !done.entries.isEmpty })
        return try #require(done.entries.first ?? nil)
    }

    private func sessions(_ query: SessionQuery, in chat: ChatUnderTest) async throws -> SessionPage {
        var page = SessionPage(query)
        for answer in try await ask(.sessions(query), in: chat).answers { page.add(answer) }
        return page
    }

    @Test func sessionsOfAllLoopsAndInstancesAreFound() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2, shards: 2)) { chat async throws in
            _ = await chat.client("ann", in: "lobby")
            await chat.advance(by: .seconds(1))
            let bob = await chat.client("bob", in: "lobby", shard: 1)
            await chat.advance(by: .seconds(1))
            _ = await chat.client("cat", in: "lobby", on: 1)
            _ = await chat.client(nil, on: 1, shard: 1)
            bob.channel.queuedBytes = 70_000
            func users(_ query: SessionQuery) async throws -> [String?] {
                try await sessions(query, in: chat).sessions.map { $0.user?.userID.value }
            }
            #expect(try await users(SessionQuery(order: .userId, limit: 9)) == [nil, "ann", "bob", "cat"])
            #expect(try await users(SessionQuery(order: .queuedBytes, limit: 1)) == ["bob"])
            #expect(try await users(SessionQuery(order: .connectedAt, limit: 2)) == ["ann", "bob"])
            #expect(try await users(SessionQuery(user: user("cat"), limit: 9)) == ["cat"])
            #expect(try await users(SessionQuery(filter: TextFilter("B"), limit: 9)) == ["bob"])
            let inLobby = try await sessions(SessionQuery(room: room("lobby"), order: .userId, limit: 2), in: chat)
            #expect(inLobby.total == 3 && inLobby.sessions.map(\.roomCount) == [1, 1])
            #expect(inLobby.sessions.map(\.instance.value) == ["i1", "i1"])
            // The client is quiet since it joined, and another one says something.
            await chat.advance(by: .seconds(5))
            bob.send("user_activity")
            await chat.runUntilQuiet()
            #expect(try await users(SessionQuery(order: .lastActivity, limit: 1)) == ["ann"])
        }
    }

    /// The two clocks are read one after the other, so that their difference varies.
    @Test func theTimesOfASessionAreTheSameInEveryAnswer() async throws {
        try await ChatUnderTest.serve { chat async throws in
            let connectedAt = chat.clock.now.wall
            let ann = await chat.client("ann", in: "lobby")
            await chat.advance(by: .seconds(2))
            ann.send("user_activity")
            await chat.runUntilQuiet()
            let activeAt = chat.clock.now.wall
            for difference: Duration in [.zero, .milliseconds(3), .milliseconds(-5)] {
                chat.clock.setWall(by: difference)
                await chat.advance(by: .seconds(1))
                let found = try await sessions(SessionQuery(limit: 1), in: chat).sessions.first
                #expect(found?.connectedAt == connectedAt && found?.lastActiveAt == activeAt)
            }
        }
    }

    @Test func manySessionsAreLookedThroughInSlices() async throws {
        try await ChatUnderTest.serve { chat async throws in
            for _ in 0..<2500 {
                _ = chat.shard.sessions.open(
                    channel: RecordingChannel(), encoding: .event, isRaw: true, handshake: Credentials())
            }
            let done = CallbackLog<Int>()
            let query = SessionQuery(limit: 3)
            SessionSurvey(query, in: chat.shard.sessions) { done.add($0.total) }.proceed()
            #expect(done.entries.isEmpty)
            await chat.advance(by: .milliseconds(1))
            #expect(done.entries.isEmpty)
            await chat.advance(by: .milliseconds(1))
            #expect(done.entries == [2500])
        }
    }

    @Test func roomsAreCountedOverLoopsAndInstances() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2, shards: 2)) { chat async throws in
            _ = await chat.client("ann", in: "lobby")
            _ = await chat.client("bob", in: "lobby", shard: 1)
            _ = await chat.client("cat", in: "lobby", on: 1)
            _ = await chat.client("dan", in: "attic", on: 1)
            let query = RoomQuery(limit: 9)
            var page = RoomPage(query)
            for answer in try await ask(.rooms(query), in: chat).answers { page.add(answer) }
            #expect(page.rooms.map(\.id.value) == ["lobby", "attic"] && page.rooms.map(\.sessions) == [3, 1])
            #expect(page.rooms.first?.instances == [InstanceID("i1"), InstanceID("i2")] && page.total == 2)
        }
    }

    @Test func figuresSayWhatTheInstanceDoes() async throws {
        try await ChatUnderTest.serve(ChatSetup(configuration: { $0.version = "1.2" })) { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#)
            await chat.runUntilQuiet()
            chat.services.dependencies.add("store", isRequired: true) { .down(reason: "on fire") }
            let stats = try #require(try await ask(.stats, in: chat).answers.first?.root)
            #expect(stats["instance"]?.string == "i1" && stats["version"]?.string == "1.2")
            #expect(stats["sessions"]?.integer == 1 && stats["messages"]?.integer == 1)
            #expect(stats["fanOut"]?["counts"]?.array?.count == (stats["fanOut"]?["bounds"]?.array?.count ?? 0) + 1)
            #expect(stats["outbox"] == .null && stats["draining"]?.bool == false)
            let store = stats["dependencies"]?.array?.first
            #expect(store?["state"]?.string == "down" && store?["lastError"]?.string == "on fire")
        }
    }

    @Test func anInstanceReloadsAndDrainsOnce() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat async throws in
            let early = try await ask(.reload, of: "i2", in: chat)
            #expect(early.answers.map { ReloadReport($0.root).error } == ["this instance is still starting"])
            let drains = CallbackLog<String>()
            for instance in chat.instances {
                let (name, readiness) = (instance.id.value, instance.services.readiness)
                instance.services.control.set(
                    reload: {
                        var report = ReloadReport()
                        report.applied = ["rates"]
                        report.restartNeeded = ["PORT"]
                        report.warnings = [name]
                        return report
                    },
                    drain: {
                        drains.add(name)
                        readiness.beginDraining()
                    })
            }
            let reports = try await ask(.reload, in: chat).answers.map { ReloadReport($0.root) }
            #expect(reports.map(\.warnings) == [["i1"], ["i2"]] && reports.allSatisfy { $0.error == nil })
            #expect(reports.allSatisfy(\.isApplied) && !ReloadReport(error: "PORT").isApplied)
            #expect(reports.first?.applied == ["rates"] && reports.first?.restartNeeded == ["PORT"])
            #expect(try await ask(.drain, of: "i2", in: chat).answers.map { $0.root["sessions"]?.integer } == [0])
            #expect(await eventually { drains.entries == ["i2"] })
            _ = try await ask(.drain, of: "i2", in: chat)
            #expect(drains.entries == ["i2"])
            #expect(ReloadReport(.object([:])).error != nil)
        }
    }
}
