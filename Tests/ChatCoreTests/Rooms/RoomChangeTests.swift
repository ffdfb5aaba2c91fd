import ChatDomain
import ChatTestSupport
import JSON
import Testing

@testable import ChatCore

/// Rooms that are changed or deleted while commands wait for them.
@Suite struct RoomChangeTests {
    private func delete(_ chat: ChatUnderTest) async throws {
        try await chat.change("lobby", .deleted) { _ = try await $0.delete($1, at: chat.clock.now.wall) }
    }

    private func expel(_ name: String, _ chat: ChatUnderTest) async throws {
        try await chat.change("lobby", .expelled(user(name))) { _ = try await $0.remove(user(name), from: $1) }
    }

    @Test func deletingTellsTheMembersAndTheRoomIsGone() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 2)) { chat in
            let ann = await chat.client("ann", in: "lobby", shard: 0)
            let bob = await chat.client("bob", in: "lobby", shard: 1)
            try await delete(chat)
            for client in [ann, bob] {
                #expect(client.channel.events("error").map { $0["code"]?.string } == ["forbidden"])
                client.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1)
                await chat.runUntilQuiet()
                #expect(client.answer(1)?.code == "not_joined")
            }
        }
    }

    @Test func aSenderIntoARoomThatIsDeletedMeanwhileIsAnswered() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.holds)
            ann.send("send_message", #"{"roomId":"lobby","message":"in flight"}"#, id: 1)
            #expect(await chat.run { chat.store.heldCommits == 1 })
            ann.send("send_message", #"{"roomId":"lobby","message":"waiting"}"#, id: 2)
            ann.send("ping", id: 3)
            await chat.runUntilQuiet()
            try await delete(chat)
            #expect(ann.answer(1)?.success == false && ann.answer(2)?.success == false)
            #expect(ann.answer(3)?.success == true)
            // The id may be used again, also while the old room's write is still on its way.
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 4)
            await chat.runUntilQuiet()
            #expect(ann.answer(4) == nil)
            chat.store.setCommits(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(ann.answer(4)?.success == true)
            ann.send("send_message", #"{"roomId":"lobby","message":"anew"}"#, id: 5)
            await chat.runUntilQuiet()
            #expect(ann.answer(5)?.success == true && ann.messages == ["anew"])
        }
    }

    @Test func aJoinThatWaitsForTheStoreIsRefusedWhenTheRoomIsDeleted() async throws {
        try await ChatUnderTest.serve { chat in
            _ = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.holds)
            let bob = await chat.client("bob")
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            #expect(await chat.run { chat.store.heldCommits == 1 })
            try await delete(chat)
            #expect(bob.answer(1)?.code == "forbidden")
        }
    }

    @Test func aJoinUnderWayWhenItsRoomIsDeletedIsRefusedAtOnce() async throws {
        var setup = ChatSetup()
        setup.hasBus = true
        try await ChatUnderTest.serve(setup) { chat in
            try await chat.store.fill("lobby", count: 300)
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob")
            chat.store.setReads(.holds)
            bob.send("join_room", #"{"roomId":"lobby","since":1}"#, id: 1)
            #expect(await chat.run { chat.store.heldReads == 1 })
            #expect(chat.bus.isSubscribed("i1", to: "lobby"))
            chat.services.applyHere(room("lobby"), .deleted)
            #expect(await chat.run { bob.answer(1) != nil })
            #expect(bob.answer(1)?.code == "forbidden")
            #expect(chat.store.heldReads == 1, "the page was waited for")
            #expect(ann.channel.events("error").count == 1)
            #expect(!chat.bus.isSubscribed("i1", to: "lobby"))
            chat.store.setReads(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(bob.channel.events("room_state").isEmpty)
        }
    }

    @Test func aUserExpelledWhileJoiningIsAnswered() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.fill("lobby", count: 100)
            let ann = await chat.client("ann")
            // The room comes into memory, its history does not.
            let bob = await chat.client("bob", in: "lobby")
            chat.store.setReads(.holds)
            ann.send("join_room", #"{"roomId":"lobby","since":1}"#, id: 1)
            ann.send("ping", id: 2)
            #expect(await chat.run { chat.store.heldReads == 1 })
            try await expel("ann", chat)
            chat.store.setReads(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == false && ann.answer(2)?.success == true)
            bob.send("send_message", #"{"roomId":"lobby","message":"x"}"#)
            await chat.runUntilQuiet()
            #expect(ann.messages.isEmpty && bob.messages == ["x"])
        }
    }

    @Test func anExpelledMemberIsNotifiedAndReceivesNothingAfter() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            try await expel("ann", chat)
            #expect(ann.channel.events("error").map { $0["code"]?.string } == ["forbidden"])
            #expect(bob.channel.events("user_left").map { $0["userId"]?.string } == ["ann"])
            bob.send("send_message", #"{"roomId":"lobby","message":"x"}"#)
            await chat.runUntilQuiet()
            #expect(ann.messages.isEmpty && bob.messages == ["x"])
        }
    }

    @Test func aRoomThatBecomesPrivateRemovesUsersThatAreNoParticipants() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.roomLimits.maximumParticipants = 1 }) { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            let revision = RoomRevision(isPrivate: true)
            let now = chat.clock.now.wall
            try await chat.change("lobby", .revised(revision, at: now)) {
                _ = try await $0.revise($1, revision, at: now)
            }
            #expect(ann.channel.events("error").isEmpty)
            #expect(bob.channel.events("error").map { $0["code"]?.string } == ["forbidden"])
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(bob.answer(1)?.code == "forbidden")
            try await chat.change("lobby", .admitted(user("bob"))) {
                _ = try await $0.add(user("bob"), to: $1, limit: 10)
            }
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(bob.answer(2)?.success == true)
        }
    }

    @Test func aSenderWithoutASessionIsAnswered() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            func send() -> Task<RoomReply, Never> {
                let message = OutgoingMessage(text: "from outside")
                return Task { [services = chat.services] in
                    await services.ask(room("lobby")) { .send(nil, $0, message, roomUser("ann"), since: nil) }
                }
            }
            let kept = send()
            #expect(await chat.run { ann.messages == ["from outside"] })
            if case .sent(_, let sequence, _, let isDuplicate) = await kept.value {
                #expect(sequence == 1 && !isDuplicate)
            } else {
                Issue.record("not stored")
            }
            chat.store.setCommits(.holds)
            let lost = send()
            #expect(await chat.run { chat.store.heldCommits == 1 })
            try await delete(chat)
            #expect(await lost.value == .refused(.roomUnavailable))
        }
    }
}
