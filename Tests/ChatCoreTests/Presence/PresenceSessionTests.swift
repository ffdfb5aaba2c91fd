import ChatDomain
import ChatProtocol
import Identity
import JSON
import Testing

@testable import ChatCore

/// `PresenceSession` on manual time: idleness, grace periods, being logged out.
@Suite struct PresenceSessionTests {
    private func status(_ name: String, _ chat: ChatUnderTest) -> PresenceStatus? {
        chat.services.presence.presence(of: user(name))?.status
    }

    private let setup = ChatSetup(isStarted: true) { $0.presence.awayAfter = .seconds(60) }

    @Test func aClientThatDoesNothingIsAwayAndBackWithItsNextAction() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = await chat.client("ann")
            await chat.advance(by: .milliseconds(59_999))
            #expect(status("ann", chat) == .online)
            await chat.advance(by: .seconds(16))
            #expect(status("ann", chat) == .away)
            ann.send("ping")
            await chat.runUntilQuiet()
            #expect(status("ann", chat) == .away, "a program pings by itself")
            ann.send("user_activity")
            await chat.runUntilQuiet()
            #expect(status("ann", chat) == .online)
        }
    }

    @Test func aBusyUserWhoDoesNothingStaysBusy() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = await chat.client("ann")
            ann.send("set_status", #"{"status":"busy"}"#)
            await chat.advance(by: .seconds(120))
            #expect(status("ann", chat) == .busy)
        }
    }

    @Test func activityMovesWhenTheUserWasSeenAndIsStoredNowAndThen() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            let begun = chat.clock.now.wall
            await chat.advance(by: .milliseconds(500))
            ann.send("typing", #"{"roomId":"none","isTyping":true}"#)
            #expect(chat.services.presence.presence(of: user("ann"))?.lastSeen == begun, "once a second is enough")
            await chat.advance(by: .milliseconds(1500))
            ann.send("typing", #"{"roomId":"none","isTyping":true}"#)
            #expect(chat.services.presence.presence(of: user("ann"))?.lastSeen == chat.clock.now.wall)
            #expect(chat.directory.sessions(of: "ann").first?.lastActiveAt == begun)
            await chat.advance(by: .seconds(30))
            ann.send("typing", #"{"roomId":"none","isTyping":true}"#)
            #expect(chat.directory.sessions(of: "ann").first?.lastActiveAt == chat.clock.now.wall)
            await chat.advance(by: .seconds(2))
            ann.send("user_activity")
            #expect(chat.directory.sessions(of: "ann").first?.lastActiveAt == chat.clock.now.wall)
        }
    }

    @Test func aUserStaysInSightForTheGracePeriod() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            ann.hangUp()
            await chat.advance(by: .milliseconds(4999) + Departures.gatheringInterval)
            #expect(status("ann", chat) == .online)
            #expect(chat.directory.sessions(of: "ann").isEmpty && chat.directory.records(of: "ann").count == 1)
            await chat.advance(by: .milliseconds(1))
            #expect(status("ann", chat) == nil)
        }
    }

    @Test func aSessionTakenUpAgainEndsItsGracePeriod() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            ann.hangUp()
            await chat.advance(by: .seconds(3))
            let again = await chat.client("ann", id: ann.session.id)
            await chat.advance(by: .seconds(3))
            #expect(status("ann", chat) == .online, "the first period would have ended it")
            again.hangUp()
            await chat.advance(by: .milliseconds(4999) + Departures.gatheringInterval)
            #expect(status("ann", chat) == .online)
            await chat.advance(by: .milliseconds(1))
            #expect(status("ann", chat) == nil)
        }
    }

    @Test func withoutAGracePeriodAUserIsGoneAtOnce() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.presence.grace = .zero }) { chat in
            let ann = await chat.client("ann")
            ann.hangUp()
            await chat.runUntilQuiet()
            #expect(status("ann", chat) == nil)
        }
    }

    @Test func aLoggedOutUserGoesAtOnceWithTheReason() async throws {
        try await ChatUnderTest.serve { chat async throws in
            let ann = await chat.client("ann")
            let record = try #require(chat.directory.sessions(of: "ann").first)
            chat.services.end(record, .loggedOut)
            await chat.runUntilQuiet()
            #expect(ann.channel.closed?.code == .unauthorized)
            #expect(ann.channel.events("error").map { $0["code"]?.string } == ["unauthorized"])
            ann.hangUp()
            await chat.runUntilQuiet()
            #expect(status("ann", chat) == nil)
        }
    }

    @Test func theOldestSessionGivesWayToOneTooMany() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2, maximumSessions: 2)) { chat in
            let first = await chat.client("ann", on: 1)
            let second = await chat.client("ann")
            let other = await chat.client("bob")
            let third = await chat.client("ann")
            #expect(first.channel.closed?.code == .replaced)
            #expect(first.channel.events("error").map { $0["code"]?.string } == ["replaced"])
            for client in [second, other, third] { #expect(client.channel.closed == nil) }
        }
    }

    // MARK: Questions

    @Test func listsComeInPages() async throws {
        try await ChatUnderTest.serve { chat in
            await connect(["u0", "u1", "u2", "u3", "u4"], chat)
            let zoe = await chat.client("zoe")
            zoe.send("get_all_online_users", #"{"limit":3,"cursor":"u2"}"#, id: 1)
            zoe.send("get_detailed_online_users", #"{"limit":1000}"#, id: 2)
            zoe.send("get_online_count", id: 3)
            await chat.runUntilQuiet()
            #expect(zoe.answer(1)?.data == .array([.string("u3"), .string("u4"), .string("zoe")]))
            #expect(zoe.answer(3)?.data["count"]?.integer == 6)
            let detailed: [JSONValue] = zoe.answer(2)?.data.array ?? []
            #expect(detailed.count == 6)
            #expect(detailed.last?["userId"]?.string == "zoe")
            #expect(detailed.last?["devices"] != nil && detailed.first?["devices"] == nil)
        }
    }

    private func connect(_ names: [String], _ chat: ChatUnderTest) async {
        for name in names { _ = await chat.client(name) }
    }

    @Test func aServiceAsksWithoutBeingAUser() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.presence.isForFriendsOnly = true }) { chat in
            _ = await chat.client("ann")
            let service = await chat.client(nil, isService: true)
            service.send("get_online_count", id: 1)
            service.send("check_user_status", #"{"targetUserId":"ann"}"#, id: 2)
            service.send("set_status", #"{"status":"busy"}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(service.answer(1)?.data["count"]?.integer == 1)
            #expect(service.answer(2)?.data["status"]?.string == "online")
            #expect(service.answer(3)?.code == "unauthenticated")
        }
    }
}
