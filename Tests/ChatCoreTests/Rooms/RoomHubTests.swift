import ChatDomain
import ChatTestSupport
import JSON
import TestSupport
import Testing

@testable import ChatCore

/// `RoomHub`, `HomeRoom`, `RoomTimer`, `RoomQueries` and `RoomCommand` as clients see them: typing, read marks, limits and memory, on manual time.
@Suite struct RoomHubTests {
    @Test func typingEndsByItself() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            func typing(_ client: TestClient) -> [Bool?] {
                client.channel.events("user_typing").map { $0["isTyping"]?.bool }
            }
            ann.send("typing", #"{"roomId":"lobby","isTyping":true}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true)
            #expect(typing(bob) == [true] && typing(ann) == [])
            #expect(bob.channel.frames.last?.isDroppable == true)
            await chat.advance(by: .milliseconds(3000))
            ann.send("typing", #"{"roomId":"lobby","isTyping":true}"#)
            await chat.advance(by: .milliseconds(5999))
            #expect(typing(bob) == [true])
            await chat.advance(by: .milliseconds(1))
            #expect(typing(bob) == [true, false])
            await chat.advance(by: .seconds(20))
            #expect(typing(bob) == [true, false])
        }
    }

    @Test func aMessageEndsTyping() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            ann.send("typing", #"{"roomId":"lobby","isTyping":true}"#)
            ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#)
            await chat.runUntilQuiet()
            #expect(bob.channel.events("user_typing").map { $0["isTyping"]?.bool } == [true, false])
        }
    }

    @Test func aReadMarkIsSentToOthersAndToTheUsersOtherDevices() async throws {
        try await ChatUnderTest.serve { chat async throws in
            try await chat.store.fill("lobby", count: 5)
            let ann = await chat.client("ann", in: "lobby")
            let phone = await chat.client("ann")
            let bob = await chat.client("bob", in: "lobby")
            phone.channel.forget()
            ann.send("mark_read", #"{"roomId":"lobby","seq":3}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true)
            for other in [bob, phone] {
                #expect(other.channel.events("message_read").map { $0["seq"]?.integer } == [3])
            }
            #expect(ann.channel.events("message_read").isEmpty)
            // A mark never moves back, and a number that no message has means the newest.
            ann.send("mark_read", #"{"roomId":"lobby","seq":2}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(try await chat.store.real.readMark(of: user("ann"), in: room("lobby")) == 3)
            ann.send("mark_read", #"{"roomId":"lobby","seq":9}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(ann.answer(3)?.success == true)
            #expect(try await chat.store.real.readMark(of: user("ann"), in: room("lobby")) == 5)
            chat.store.setReads(.fails)
            ann.send("mark_read", #"{"roomId":"lobby","seq":9}"#, id: 4)
            await chat.runUntilQuiet()
            #expect(ann.answer(4)?.code == "storage_unavailable")
        }
    }

    @Test func aMarkOfAMessageThatAnotherInstanceHasJustStoredIsKept() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            try await chat.store.fill("lobby", count: 4)
            ann.send("mark_read", #"{"roomId":"lobby","seq":4}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true)
            await chat.advance(by: .milliseconds(150))
            #expect(ann.messages.count == 4, "what was learned of is read too")
        }
    }

    @Test(arguments: [false, true]) func aRoomThatIsNotUsedIsForgotten(_ hasBus: Bool) async throws {
        let idle: Duration = hasBus ? .seconds(1) : .seconds(30)
        try await ChatUnderTest.serve(ChatSetup(hasBus: hasBus)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            await chat.advance(by: .seconds(100))
            let loads = chat.store.calls("room")
            ann.send("leave_room", #"{"roomId":"lobby"}"#)
            await chat.advance(by: idle - .milliseconds(1))
            _ = await chat.client("bob", in: "lobby")
            // A subscription has the room read again, once.
            #expect(chat.store.calls("room") == loads + (hasBus ? 1 : 0), "it was still in memory")
            let bob = await chat.client("bob", in: "lobby")
            bob.send("leave_room", #"{"roomId":"lobby"}"#)
            chat.shard.sessions.all.forEach { $0.closed(reason: "the test") }
            await chat.advance(by: idle + .seconds(10))
            #expect(chat.loop.pendingTimers == 0, "nothing is left to do for it")
            let before = chat.store.calls("room")
            _ = await chat.client("cleo", in: "lobby")
            #expect(chat.store.calls("room") > before)
        }
    }

    @Test func aRoomThatMayNotBeMadeIsRefused() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.createsRoomsOnJoin = false }) { chat in
            let ann = await chat.client("ann")
            ann.send("join_room", #"{"roomId":"nowhere"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.code == "forbidden")
            try await chat.store.fill("somewhere", count: 1)
            ann.send("join_room", #"{"roomId":"somewhere"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(2)?.success == true)
        }
    }

    @Test func commandsThatWaitForARoomAreBoundedAndAllAnswered() async throws {
        try await ChatUnderTest.serve { chat in
            chat.store.setReads(.holds)
            let replies = CallbackLog<RoomReply>()
            for _ in 0..<4100 {
                Task { [services = chat.services] in
                    replies.add(await services.ask(room("lobby")) { .info($0, user("ann"), showing: .everybody) })
                }
            }
            #expect(await chat.run { replies.entries.count == 4 })
            for case .refused(let error) in replies.entries { #expect(error.code == .overloaded) }
            chat.store.setReads(.fails)
            chat.store.release()
            #expect(await chat.run { replies.entries.count == 4100 })
        }
    }

    @Test func aBroadcastIsCutBeforeItIsTooLargeForAQueue() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            chat.store.setCommits(.holds)
            ann.send("send_message", #"{"roomId":"lobby","message":"first"}"#)
            #expect(await chat.run { chat.store.heldCommits == 1 })
            let text = String(repeating: "x", count: 3000)
            for _ in 0..<60 { ann.send("send_message", #"{"roomId":"lobby","message":"\#(text)"}"#) }
            chat.store.setCommits(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(bob.messages.count == 61)
            let sizes = bob.channel.frames.map(\.bytes.count)
            #expect(sizes.count >= 3 && sizes.allSatisfy { $0 <= 160 * 1024 })
            #expect(bob.channel.events("new_message").compactMap { $0["seq"]?.integer } == Array(1...61))
        }
    }
}
