import ChatDomain
import ChatProtocol
import ChatTestSupport
import Identity
import JSON
import Telemetry
import Testing

@testable import ChatCore

/// One client connection: its identity, its rights, the order of its answers.
@Suite struct SessionTests {
    @Test func aClientThatNeverAuthenticatesIsDisconnected() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.requiresAuthentication = true }) { chat in
            let client = await chat.client(nil)
            await chat.advance(by: .milliseconds(9999))
            #expect(client.channel.closed == nil)
            await chat.advance(by: .milliseconds(1))
            #expect(client.channel.closed?.code == .unauthorized)
            #expect(client.channel.events("error").map { $0["code"]?.string } == ["unauthenticated"])
            let named = await chat.client(nil)
            named.send("authenticate", #"{"userId":"ann"}"#, id: 1)
            await chat.advance(by: .seconds(60))
            #expect(named.answer(1)?.success == true && named.channel.closed == nil && named.channel.isRecognized)
        }
    }

    @Test func aConnectionBelongsToOneUser() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            #expect(ann.channel.names.starts(with: ["authenticated", "welcome"]))
            ann.send("authenticate", #"{"userId":"bob"}"#, id: 1)
            ann.send("user_online", #"{"userId":"bob"}"#, id: 2)
            ann.send("authenticate", #"{"userId":"ann"}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.code == "forbidden" && ann.answer(2)?.code == "forbidden")
            #expect(ann.answer(3)?.success == true && ann.channel.closed == nil)
            #expect(chat.services.users.sessions(of: user("ann")) == .one(ann.session.address))
        }
    }

    @Test func anExpiringTokenIsWarnedOfAndEndsTheConnection() async throws {
        try await ChatUnderTest.serve { chat in
            let client = await chat.client(nil)
            var identity = Identity(claimed: user("ann"), username: nil)
            identity.expiresAt = Timestamp(milliseconds: chat.clock.now.wall.milliseconds + 60_000)
            client.session.adopt(identity)
            await chat.advance(by: .milliseconds(29_999))
            #expect(client.channel.events("token_expiring").isEmpty)
            await chat.advance(by: .milliseconds(1))
            #expect(client.channel.events("token_expiring").count == 1)
            await chat.advance(by: .milliseconds(29_999))
            #expect(client.channel.closed == nil)
            await chat.advance(by: .milliseconds(1))
            #expect(client.channel.closed?.code == .unauthorized)
        }
    }

    @Test func requestsAreAnsweredInTheirOrder() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            chat.store.setReads(.holds)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            ann.send("ping", id: 2)
            ann.send("leave_room", #"{"roomId":"lobby"}"#, id: 3)
            ann.send("ping", id: 4)
            await chat.runUntilQuiet()
            #expect(ann.channel.received.compactMap(\.id).isEmpty)
            chat.store.setReads(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(ann.channel.received.compactMap(\.id) == [1, 2, 3, 4])
        }
    }

    @Test func aClientWithManyRequestsIsNotReadForAWhile() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.holds)
            for number in Int64(1)...64 {
                #expect(!ann.channel.isPaused)
                ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: number)
            }
            #expect(ann.channel.isPaused)
            chat.store.setCommits(.works)
            await chat.runUntilQuiet()
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(!ann.channel.isPaused && ann.answer(64)?.success == true)
        }
    }

    @Test func moreThanMayWaitIsRefused() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            chat.store.setReads(.holds)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 0)
            for number in Int64(1)...1025 { ann.send("ping", id: number) }
            #expect(ann.answer(1025)?.code == "overloaded" && ann.answer(1024) == nil)
        }
    }

    @Test func aLargeAnswerWaitsUntilTheClientTakesItsQueue() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            ann.channel.queuedBytes = 100_000
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            ann.send("ping", id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(1) == nil && ann.answer(2) == nil)
            ann.channel.drain()
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true && ann.answer(2)?.success == true)
        }
    }

    @Test func nonsenseEndsTheConnectionAfterAWhile() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            for number in 1...9 { ann.send("no_such_event", id: Int64(number)) }
            #expect(ann.answer(9)?.code == "unknown_event" && ann.channel.closed == nil)
            // A good request makes up for it.
            ann.send("ping")
            for _ in 1...9 { ann.session.receivedMalformed(ChatError(.badFrame, "no JSON"), tag: nil) }
            #expect(ann.channel.closed == nil)
            ann.send("send_message", #"{"roomId":7}"#)
            #expect(ann.channel.closed?.code == .malformed)
        }
    }

    @Test func aClientAboveItsRateIsRefusedAndAtLastDisconnected() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.messageRate = 1 }) { chat in
            let ann = await chat.client("ann", in: "lobby")
            for number in Int64(1)...10 {
                ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: number)
                await chat.runUntilQuiet()
            }
            #expect(ann.answer(3)?.success == true && ann.answer(4)?.code == "rate_limited")
            #expect(ann.channel.closed == nil)
            for number in Int64(11)...80 { ann.send("ping", id: number) }
            #expect(ann.channel.closed?.code == .rateLimited)
        }
    }

    @Test func aNameIsTakenUnlessATokenGaveOne() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            ann.send("identify", #"{"username":"Annie"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true && ann.session.identity?.username == "Annie")
            #expect(chat.services.presence.presence(of: user("ann"))?.user.username == "Annie")
            // Another device that brings no name goes by that.
            #expect(await chat.client("ann").session.identity?.username == "Annie")
            let verified = await chat.client(nil)
            var identity = Identity(claimed: user("bob"), username: "Bob")
            identity.isUsernameVerified = true
            verified.session.adopt(identity)
            verified.send("identify", #"{"username":"Eve"}"#)
            await chat.runUntilQuiet()
            #expect(verified.session.identity?.username == "Bob")
        }
    }

    @Test func directMessagesNameTheUsersTheyReached() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2, shards: 2)) { chat async throws in
            let ann = await chat.client("ann")
            let bob = await chat.client("bob", on: 0, shard: 1)
            let cleo = await chat.client("cleo", on: 1)
            ann.send("send_message", #"{"recipientIds":["bob","cleo","nobody"],"message":"psst"}"#, id: 1)
            await chat.runUntilQuiet()
            let answer = try #require(ann.answer(1))
            #expect(answer.data["recipients"]?["sent"] == .array([.string("bob"), .string("cleo")]))
            #expect(answer.data["recipients"]?["failed"] == .array([.string("nobody")]))
            for client in [bob, cleo] {
                #expect(client.channel.events("message").map { $0["message"]?.string } == ["psst"])
            }
        }
    }

    @Test func aClosedSessionLeavesNothingBehind() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            ann.send("subscribe_presence", #"{"all":true,"userIds":["bob"]}"#)
            await chat.runUntilQuiet()
            ann.hangUp()
            ann.hangUp()
            await chat.advance(by: .seconds(60))
            #expect(chat.shard.sessions.count == 0 && chat.shard.sessions.all.isEmpty)
            #expect(chat.services.metrics.sessions.value == 0 && chat.services.metrics.rooms.value == 0)
            #expect(chat.shard.sessions.localRooms.count == 0)
            #expect(chat.services.users.sessions(of: user("ann")).isEmpty)
            #expect(chat.loop.pendingTimers == 0)
        }
    }

    @Test func aDrainClosesEverySessionWithinItsTime() async throws {
        try await ChatUnderTest.serve { chat in
            var clients: [TestClient] = []
            for number in 0..<20 { clients.append(await chat.client("u\(number)")) }
            chat.shard.sessions.drain(DrainPlan(sessions: 20, others: 0, limit: .seconds(10)))
            for client in clients {
                let wait = client.channel.events("server_draining").first?["reconnectInMs"]?.integer
                #expect(wait.map { 0...1000 ~= $0 } == true)
            }
            await chat.advance(by: .seconds(5))
            let closed = clients.count { $0.channel.closed != nil }
            #expect(closed < 20, "each at a moment of its own")
            await chat.advance(by: .seconds(5))
            for client in clients { #expect(client.channel.closed?.code == .restart) }
        }
    }
}
