import ChatDomain
import ChatProtocol
import ChatTestSupport
import JSON
import Testing

@testable import ChatCore

/// Joining rooms (`EnteredRoom` is what a session is handed), through a store that fails or is late.
@Suite struct JoiningTests {
    @Test func aRoomThatCannotBeReadIsRefusedAndLaterEntered() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            chat.store.setReads(.fails)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.code == "storage_unavailable")
            chat.store.setReads(.works)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(2)?.success == true)
        }
    }

    @Test func aRoomIsShownWithItsHistoryItsUsersAndItsState() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.fill("lobby", count: 3)
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob")
            bob.channel.forget()
            bob.send("join_room", #"{"roomId":"lobby"}"#)
            await chat.runUntilQuiet()
            #expect(bob.channel.names == ["message_history", "room_users", "room_state"])
            let history = bob.channel.events("message_history").first.strings("message")
            #expect(history == ["old 1", "old 2", "old 3"])
            let users = bob.channel.events("room_users").first.strings("userId")
            #expect(Set(users) == ["ann", "bob"])
            let state = bob.channel.events("room_state").first
            #expect(state?["lastSeq"]?.integer == 3 && state?["online"]?.integer == 2)
            #expect(ann.channel.events("user_joined").map { $0["userId"]?.string } == ["bob"])
            bob.send("leave_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(bob.answer(1)?.success == true)
            #expect(ann.channel.events("user_left").map { $0["userId"]?.string } == ["bob"])
        }
    }

    @Test func whoseConnectionBreaksIsPresentForTheGracePeriod() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            bob.hangUp()
            await chat.advance(by: .milliseconds(4999))
            #expect(ann.channel.events("user_left").isEmpty)
            await chat.advance(by: .milliseconds(1))
            #expect(ann.channel.events("user_left").map { $0["userId"]?.string } == ["bob"])
        }
    }

    @Test func aMessageStoredBetweenReadingAndJoiningIsNotLost() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.fill("lobby", count: 200)
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob")
            chat.store.setReads(.holds)
            bob.send("join_room", #"{"roomId":"lobby","since":10}"#, id: 1)
            #expect(await chat.run { chat.store.heldReads == 1 })
            for number in Int64(1)...3 {
                ann.send("send_message", #"{"roomId":"lobby","message":"live"}"#, id: number)
                await chat.runUntilQuiet()
                #expect(ann.answer(number)?.success == true)
            }
            chat.store.setReads(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            let history = bob.channel.events("message_history").first.integers("seq")
            #expect(history == Array(11...203))
            ann.send("send_message", #"{"roomId":"lobby","message":"after"}"#, id: 4)
            await chat.runUntilQuiet()
            #expect(bob.channel.events("new_message").compactMap { $0["seq"]?.integer } == [204])
        }
    }

    @Test func aReadThatIsNeverAnsweredRefusesTheJoinAfterTheLimitAndLeavesTheNextOneFree() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.fill("lobby", count: 100)
            let ann = await chat.client("ann")
            chat.store.setReads(.holds)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.advance(by: .milliseconds(4999))
            #expect(ann.answer(1) == nil)
            await chat.advance(by: .milliseconds(1))
            #expect(ann.answer(1)?.code == "storage_unavailable")
            chat.store.setReads(.works)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(2)?.success == true)
            // The late answer changes nothing any more.
            chat.store.release()
            await chat.runUntilQuiet()
            ann.send("send_message", #"{"roomId":"lobby","message":"on"}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(ann.answer(3)?.seq == 101)
        }
    }

    @Test func simultaneousJoinsShareOneRead() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.fill("lobby", count: 100)
            var clients: [TestClient] = []
            for number in 0..<10 { clients.append(await chat.client("user\(number)")) }
            chat.store.setReads(.holds)
            for client in clients { client.send("join_room", #"{"roomId":"lobby"}"#, id: 1) }
            #expect(await chat.run { chat.store.heldReads == 1 })
            chat.store.setReads(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            for client in clients { #expect(client.answer(1)?.success == true) }
            #expect(chat.store.calls("room") == 1 && chat.store.calls("history") == 1)
        }
    }

    @Test func aJoinIsAnsweredOnceTheStoreHasTheParticipant() async throws {
        try await ChatUnderTest.serve { chat async throws in
            _ = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.holds)
            let bob = await chat.client("bob")
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            #expect(await chat.run { chat.store.heldCommits == 1 })
            #expect(bob.answer(1) == nil)
            #expect(try await chat.store.participants(of: "lobby") == ["ann"])
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(bob.answer(1)?.success == true)
            #expect(try await chat.store.participants(of: "lobby") == ["ann", "bob"])
        }
    }

    @Test func withoutTheStoreNewcomersAreRefusedAndParticipantsJoin() async throws {
        try await ChatUnderTest.serve { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.fails)
            let bob = await chat.client("bob")
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(bob.answer(1)?.code == "storage_unavailable")
            ann.send("leave_room", #"{"roomId":"lobby"}"#, id: 1)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true && ann.answer(2)?.success == true)
            // The refused join has left nothing behind.
            bob.send("send_message", #"{"roomId":"lobby","message":"hello"}"#, id: 2)
            #expect(bob.answer(2)?.code == "not_joined")
            chat.store.setCommits(.works)
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(bob.answer(3)?.success == true)
            #expect(try await chat.store.participants(of: "lobby") == ["ann", "bob"])
        }
    }

    @Test func aSessionThatWasNotShownTheRoomIsNotInIt() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.fill("lobby", count: 300)
            _ = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob")
            chat.store.setReads(.fails)
            bob.send("join_room", #"{"roomId":"lobby","since":1}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(bob.answer(1)?.code == "storage_unavailable")
            bob.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 2)
            #expect(bob.answer(2)?.code == "not_joined")
        }
    }

    /// Trouble of the store removes no session that was shown the room before.
    @Test func aSecondJoinThatFailsLeavesTheUserInTheRoom() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.fill("lobby", count: 300)
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            chat.store.setReads(.fails)
            ann.send("join_room", #"{"roomId":"lobby","since":1}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.code == "storage_unavailable")
            chat.store.setReads(.works)
            bob.send("send_message", #"{"roomId":"lobby","message":"for ann too"}"#, id: 1)
            ann.send("send_message", #"{"roomId":"lobby","message":"still here"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.messages == ["for ann too", "still here"] && bob.messages == ann.messages)
            #expect(ann.answer(2)?.success == true)
        }
    }

    @Test func aConnectionIsInSoManyRoomsAtMost() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.maximumRoomsPerSession = 2 }) { chat in
            let ann = await chat.client("ann", in: "a")
            for (id, room) in [(Int64(1), "b"), (2, "c"), (3, "a")] {
                ann.send("join_room", #"{"roomId":"\#(room)"}"#, id: id)
                await chat.runUntilQuiet()
            }
            #expect(ann.answer(1)?.success == true)
            #expect(ann.answer(2)?.code == "bad_request")
            #expect(ann.answer(3)?.success == true)
        }
    }

    @Test func aRoomOfAnotherShardIsJoinedLikeOneOfThisOne() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 3)) { chat in
            for number in 0..<6 {
                let ann = await chat.client("ann", in: "room-\(number)", shard: 0)
                let bob = await chat.client("bob", in: "room-\(number)", shard: 2)
                bob.send("send_message", #"{"roomId":"room-\#(number)","message":"hello"}"#, id: 1)
                await chat.runUntilQuiet()
                #expect(bob.answer(1)?.seq == 1)
                #expect(ann.messages == ["hello"] && bob.messages == ["hello"])
            }
        }
    }
}
