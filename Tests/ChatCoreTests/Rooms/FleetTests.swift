import ChatDomain
import ChatProtocol
import ChatTestSupport
import JSON
import Telemetry
import Testing

@testable import ChatCore

/// Rooms over several instances (`RoomBroadcaster`, `RoomChannel`): what a lost publication, a lost instance or a late answer
/// costs.
@Suite struct FleetTests {
    private func message(_ number: SequenceNumber, _ text: String, in name: String = "lobby") -> Message {
        Message(
            MessageDraft(
                id: MessageID(high: 7, low: UInt32(number)),
                body: MessageBody(author: user("far"), username: "far", text: text), timestamp: stamp(number)),
            in: room(name), sequence: number)
    }

    @Test func messagesReachTheMembersOnEveryInstance() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2, shards: 2)) { chat in
            let ann = await chat.client("ann", in: "lobby", on: 0)
            let bob = await chat.client("bob", in: "lobby", on: 1, shard: 1)
            #expect(ann.channel.events("user_joined").map { $0["userId"]?.string } == ["bob"])
            ann.send("send_message", #"{"roomId":"lobby","message":"one"}"#)
            await chat.runUntilQuiet()
            bob.send("send_message", #"{"roomId":"lobby","message":"two"}"#)
            bob.send("typing", #"{"roomId":"lobby","isTyping":true}"#)
            await chat.runUntilQuiet()
            #expect(ann.messages == ["one", "two"] && bob.messages == ann.messages)
            #expect(ann.channel.events("user_typing").map { $0["userId"]?.string } == ["bob"])
            bob.send("leave_room", #"{"roomId":"lobby"}"#)
            await chat.runUntilQuiet()
            #expect(ann.channel.events("user_left").map { $0["userId"]?.string } == ["bob"])
            #expect(!chat.bus.isSubscribed("i2", to: "lobby") && chat.bus.isSubscribed("i1", to: "lobby"))
        }
    }

    @Test func aHoleIsReadFromTheStoreAfterAMoment() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            let ann = await chat.client("ann", in: "lobby", on: 0)
            let bob = await chat.client("bob", in: "lobby", on: 1)
            chat.bus.lose(true)
            ann.send("send_message", #"{"roomId":"lobby","message":"lost"}"#)
            await chat.runUntilQuiet()
            chat.bus.lose(false)
            ann.send("send_message", #"{"roomId":"lobby","message":"heard"}"#)
            await chat.advance(by: .milliseconds(149))
            #expect(bob.messages.isEmpty, "what comes before it may still be on its way")
            await chat.advance(by: .milliseconds(1))
            #expect(bob.messages == ["lost", "heard"])
            #expect(chat.instances[1].services.metrics.repairs.value == 1)
        }
    }

    @Test func aHoleThatFillsByItselfIsNotRead() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.publish(.message(message(2, "two")), from: "far", in: "lobby")
            await chat.advance(by: .milliseconds(100))
            chat.publish(.message(message(1, "one")), from: "far", in: "lobby")
            await chat.advance(by: .seconds(1))
            #expect(ann.messages == ["one", "two"])
            #expect(chat.services.metrics.repairs.value == 0)
        }
    }

    @Test func aRepairThatFailsIsTriedAgain() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            try await chat.store.fill("lobby", count: 1, by: "far")
            chat.store.setReads(.fails)
            chat.publish(.message(message(2, "two")), from: "far", in: "lobby")
            await chat.advance(by: .seconds(1))
            #expect(ann.messages.isEmpty)
            #expect(chat.services.metrics.repairs.value > 1)
            chat.store.setReads(.works)
            await chat.advance(by: .seconds(1))
            #expect(ann.messages == ["old 1", "two"])
        }
    }

    @Test func theSweepFindsTheLastMessageOfARoomGoneQuiet() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2, isStarted: true)) { chat in
            let ann = await chat.client("ann", in: "lobby", on: 0)
            let bob = await chat.client("bob", in: "lobby", on: 1)
            chat.bus.lose(true)
            ann.send("send_message", #"{"roomId":"lobby","message":"last"}"#)
            await chat.runUntilQuiet()
            chat.bus.lose(false)
            #expect(bob.messages.isEmpty)
            await chat.advance(by: .seconds(31))
            #expect(bob.messages == ["last"])
        }
    }

    @Test(arguments: ["reconnected", "lost", "lapsed"])
    func lostContactHasEveryRoomComparedWithTheStore(_ event: String) async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            try await chat.store.fill("lobby", count: 1, by: "far")
            switch event {
            case "reconnected": chat.bus.emit(.reconnected, to: chat.instances[0].id)
            case "lost": chat.directory.emit(.lost(InstanceID("far")), to: chat.instances[0].id)
            default: chat.directory.emit(.lapsed, to: chat.instances[0].id)
            }
            await chat.advance(by: .milliseconds(150))
            #expect(ann.messages == ["old 1"])
        }
    }

    @Test func comparingManyRoomsReadsOneSliceAfterTheOther() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann")
            for number in 0..<120 { ann.send("join_room", #"{"roomId":"room-\#(number)"}"#, id: Int64(number)) }
            await chat.runUntilQuiet()
            #expect(chat.services.metrics.rooms.value == 120)
            chat.store.setReads(.holds)
            let before = chat.store.calls("lastSequences")
            chat.bus.emit(.reconnected, to: chat.instances[0].id)
            // One reads how far the rooms are, one what they are.
            #expect(await chat.run { chat.store.heldReads == 2 })
            ann.send("ping", id: 1000)
            await chat.runUntilQuiet()
            #expect(ann.answer(1000)?.success == true && chat.store.heldReads == 2)
            chat.store.setReads(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(chat.store.calls("lastSequences") == before + 3)
        }
    }

    /// Eight slices of rooms, each of which the store takes four seconds to read, take longer than the time between sweeps.
    @Test func aSweepWaitsForTheEndOfTheOneBefore() async throws {
        var setup = ChatSetup(hasBus: true)
        setup.isStarted = true
        try await ChatUnderTest.serve(setup) { chat in
            for user in 0..<4 {
                let client = await chat.client("user-\(user)")
                for room in 0..<100 {
                    client.send("join_room", #"{"roomId":"room-\#(user)-\#(room)"}"#, id: Int64(room))
                }
                await chat.runUntilQuiet()
            }
            #expect(chat.services.metrics.rooms.value == 400)
            chat.store.setReads(.holds)
            while chat.store.heldReads == 0 { await chat.advance(by: .seconds(1)) }
            for _ in 0..<8 {
                await chat.advance(by: .seconds(4))
                #expect(chat.store.heldReads == 1)
                chat.store.release()
                await chat.runUntilQuiet()
            }
        }
    }

    @Test func aRoomThatAnotherInstanceFoundRewoundIsRewoundHere() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            let ann = await chat.client("ann", in: "lobby", on: 0)
            let bob = await chat.client("bob", in: "lobby", on: 1)
            for number in 1...3 {
                ann.send("send_message", #"{"roomId":"lobby","message":"m\#(number)"}"#)
                await chat.runUntilQuiet()
            }
            chat.store.setCommits(.fails)
            ann.send("send_message", #"{"roomId":"lobby","message":"refused"}"#)
            await chat.runUntilQuiet()
            try await chat.store.lose("lobby", keeping: 1)
            chat.store.setCommits(.works)
            ann.send("send_message", #"{"roomId":"lobby","message":"anew"}"#)
            await chat.runUntilQuiet()
            for client in [ann, bob] {
                #expect(client.channel.events("resync_required").map { $0["lastSeq"]?.integer } == [1])
                #expect(client.messages.last == "anew")
            }
        }
    }

    // MARK: Rosters

    @Test func theFirstMemberIsShownThoseOfOtherInstances() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 3)) { chat in
            _ = await chat.client("ann", in: "lobby", on: 0)
            _ = await chat.client("bob", in: "lobby", on: 1)
            let cleo = await chat.client("cleo", on: 2)
            cleo.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(cleo.answer(1)?.data["online"]?.integer == 3)
            let users = cleo.channel.events("room_users").first.strings("userId")
            #expect(Set(users) == ["ann", "bob", "cleo"])
        }
    }

    @Test func instancesThatDoNotAnswerAreWaitedForBriefly() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            _ = await chat.client("ann", in: "lobby", on: 0)
            let bob = await chat.client("bob", on: 1)
            chat.bus.lose(true)
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.advance(by: .milliseconds(199))
            #expect(bob.answer(1) == nil)
            await chat.advance(by: .milliseconds(1))
            #expect(bob.answer(1)?.success == true && bob.answer(1)?.data["online"]?.integer == 1)
        }
    }

    @Test func subscribersOfOtherDeploymentsAreNotWaitedFor() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            chat.bus.setStrangers(5)
            let ann = await chat.client("ann", on: 0)
            ann.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.advance(by: .milliseconds(199))
            #expect(ann.answer(1) == nil, "another instance might be among the subscribers")
            await chat.advance(by: .milliseconds(1))
            #expect(ann.answer(1)?.success == true)
        }
    }

    @Test func messagesStoredDuringTheSubscriptionAreShown() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            let ann = await chat.client("ann", in: "lobby", on: 0)
            let bob = await chat.client("bob", on: 1)
            chat.bus.holdSubscriptions()
            chat.bus.lose(true)
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.runUntilQuiet()
            ann.send("send_message", #"{"roomId":"lobby","message":"meanwhile"}"#)
            await chat.runUntilQuiet()
            chat.bus.lose(false)
            chat.bus.releaseSubscriptions()
            await chat.advance(by: .milliseconds(500))
            #expect(bob.answer(1)?.success == true)
            let shown = bob.channel.events("message_history").first.strings("message")
            #expect(shown + bob.messages == ["meanwhile"])
        }
    }

    @Test func aDeadInstancesUsersAreGone() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.publish(.roster([roomUser("far")], asks: false), from: "far", in: "lobby")
            await chat.runUntilQuiet()
            #expect(ann.channel.events("user_joined").map { $0["userId"]?.string } == ["far"])
            chat.directory.emit(.lost(InstanceID("far")), to: chat.instances[0].id)
            await chat.runUntilQuiet()
            #expect(ann.channel.events("user_left").map { $0["userId"]?.string } == ["far"])
        }
    }

    // MARK: Changes

    @Test func aChangeHoldsOnEveryInstanceBeforeItIsAnswered() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            let bob = await chat.client("bob", in: "lobby", on: 1)
            _ = try await chat.store.real.delete(room("lobby"), at: chat.clock.now.wall)
            let change = Task { [services = chat.services] in await services.announce(room("lobby"), .deleted) }
            #expect(await chat.run { !bob.channel.events("error").isEmpty })
            await chat.runUntilQuiet()
            await change.value
            #expect(bob.channel.events("error").map { $0["code"]?.string } == ["forbidden"])
        }
    }

    @Test func withoutContactARoomIsReadBeforeItServesAnything() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            _ = try await chat.store.real.delete(room("lobby"), at: chat.clock.now.wall)
            chat.directory.setContact(Contact())
            ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == false)
            #expect(ann.channel.events("error").map { $0["code"]?.string } == ["forbidden"])
        }
    }

    @Test func withoutContactAndStoreNothingIsServed() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.directory.setContact(Contact())
            chat.store.setReads(.fails)
            ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.code == "storage_unavailable")
            ann.send("leave_room", #"{"roomId":"lobby"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(2)?.success == true)
        }
    }

    @Test func newsThatIsNotUnderstoodIsCountedAndDropped() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann", in: "lobby")
            for text in ["", "{", "{}", #"{"instance":"far","type":"unknown","data":{}}"#] {
                chat.bus.emit(.received(room("lobby"), payload: Array(text.utf8)), to: chat.instances[0].id)
            }
            await chat.runUntilQuiet()
            #expect(chat.services.metrics.foreignNews.value == 4)
            #expect(ann.channel.frames.isEmpty)
        }
    }
}
