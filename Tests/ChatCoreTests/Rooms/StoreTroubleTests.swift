import ChatDomain
import ChatTestSupport
import JSON
import Testing

@testable import ChatCore

/// The effects on clients of a store that fails, is slow, or never answers.
@Suite struct StoreTroubleTests {
    @Test func aFailingStoreRefusesAtOnceAndCanRecover() async throws {
        try await ChatUnderTest.serve { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.fails)
            ann.send("send_message", #"{"roomId":"lobby","message":"lost"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.code == "storage_unavailable")
            #expect(ann.answer(1)?.data["error"]?["retryable"]?.bool == true)
            chat.store.setCommits(.works)
            ann.send("send_message", #"{"roomId":"lobby","message":"kept"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(2)?.seq == 1)
            #expect(try await chat.store.messages(in: "lobby") == ["kept"])
        }
    }

    @Test func aStoreThatNeverAnswersRefusesAfterTheLimit() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.holds)
            for number in Int64(1)...3 {
                ann.send("send_message", #"{"roomId":"lobby","message":"m"}"#, id: number)
            }
            await chat.advance(by: .milliseconds(4999))
            for number in Int64(1)...3 { #expect(ann.answer(number) == nil) }
            await chat.advance(by: .milliseconds(1))
            for number in Int64(1)...3 { #expect(ann.answer(number)?.code == "storage_unavailable") }
            // The connection is not held up by it.
            ann.send("ping", #"{"still":"there"}"#, id: 4)
            #expect(ann.answer(4)?.success == true)
        }
    }

    @Test(arguments: [FaultyStore.Behaviour.holds, .holdsAnswers])
    func aLateCommitStillReachesEverybodyAndOnlyWhatWaitedBehindItIsDropped(_ how: FaultyStore.Behaviour) async throws {
        try await ChatUnderTest.serve { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            chat.store.setCommits(how)
            ann.send("send_message", #"{"roomId":"lobby","message":"late"}"#, id: 1)
            #expect(await chat.run { chat.store.heldCommits == 1 })
            ann.send("send_message", #"{"roomId":"lobby","message":"never"}"#, id: 2)
            await chat.advance(by: .seconds(5))
            #expect(ann.answer(1)?.code == "storage_unavailable")
            #expect(ann.answer(2)?.code == "storage_unavailable")
            #expect(bob.messages.isEmpty)
            chat.store.setCommits(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            for client in [ann, bob] {
                #expect(client.messages == ["late"])
                #expect(client.channel.events("new_message").first?["seq"]?.integer == 1)
            }
            ann.send("send_message", #"{"roomId":"lobby","message":"next"}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(bob.messages == ["late", "next"])
            #expect(try await chat.store.messages(in: "lobby") == ["late", "next"])
        }
    }

    @Test func sendersOfOneTurnShareACommitAndWaitingSendersTheNext() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "other")
            let before = chat.store.commitSizes.count
            chat.store.setCommits(.holds)
            for number in Int64(1)...3 {
                ann.send("send_message", #"{"roomId":"lobby","message":"m\#(number)"}"#, id: number)
            }
            bob.send("send_message", #"{"roomId":"other","message":"b"}"#, id: 1)
            #expect(await chat.run { chat.store.heldCommits == 1 })
            for number in Int64(4)...10 {
                ann.send("send_message", #"{"roomId":"lobby","message":"m\#(number)"}"#, id: number)
                await chat.runUntilQuiet()
            }
            #expect(chat.store.commitSizes.dropFirst(before) == [4], "two rooms of one turn go together")
            chat.store.setCommits(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            for number in Int64(1)...10 { #expect(ann.answer(number)?.seq == number) }
            #expect(bob.answer(1)?.seq == 1)
            #expect(chat.store.commitSizes.dropFirst(before) == [4, 7])
        }
    }

    @Test func aRetryIsAnsweredAsTheFirstWas() async throws {
        try await ChatUnderTest.serve { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            let message = #"{"roomId":"lobby","message":"once","clientMessageId":"c1"}"#
            ann.send("send_message", message, id: 1)
            await chat.runUntilQuiet()
            ann.send("send_message", message, id: 2)
            ann.send("send_message", #"{"roomId":"lobby","message":"other","clientMessageId":"c1"}"#, id: 3)
            await chat.runUntilQuiet()
            let again = ann.answer(2)
            #expect(again?.data["duplicate"]?.bool == true && again?.seq == 1)
            #expect(again?.data["messageId"] == ann.answer(1)?.data["messageId"])
            #expect(ann.answer(3)?.code == "conflict")
            #expect(try await chat.store.messages(in: "lobby") == ["once"])
        }
    }

    @Test func whatWaitsForTheStoreIsBounded() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.maximumPendingBytes = 3000 }) { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.holds)
            let text = String(repeating: "x", count: 1000)
            for number in Int64(1)...4 {
                ann.send("send_message", #"{"roomId":"lobby","message":"\#(text)"}"#, id: number)
                await chat.runUntilQuiet()
            }
            #expect(ann.answer(4)?.code == "overloaded" && ann.answer(1) == nil)
            chat.store.setCommits(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            ann.send("send_message", #"{"roomId":"lobby","message":"again"}"#, id: 5)
            await chat.runUntilQuiet()
            #expect(ann.answer(5)?.success == true)
        }
    }

    @Test func sendsToTwoRoomsAreRefusedTogether() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "room-1")
            ann.send("join_room", #"{"roomId":"room-2"}"#)
            await chat.runUntilQuiet()
            chat.store.setCommits(.holds)
            for room in Int64(1)...2 {
                ann.send("send_message", #"{"roomId":"room-\#(room)","message":"x"}"#, id: room)
            }
            await chat.advance(by: .seconds(5))
            // One limit after the other would refuse the second five seconds later.
            for room in Int64(1)...2 { #expect(ann.answer(room)?.code == "storage_unavailable") }
        }
    }

    @Test func aStoreThatLostWhatItHadAcknowledgedIsFollowed() async throws {
        try await ChatUnderTest.serve { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            for number in Int64(1)...4 {
                ann.send("send_message", #"{"roomId":"lobby","message":"m\#(number)"}"#, id: number)
                await chat.runUntilQuiet()
            }
            #expect(ann.messages == ["m1", "m2", "m3", "m4"])
            chat.store.setCommits(.fails)
            ann.send("send_message", #"{"roomId":"lobby","message":"refused"}"#, id: 5)
            await chat.runUntilQuiet()
            #expect(ann.answer(5)?.code == "storage_unavailable")
            try await chat.store.lose("lobby", keeping: 2)
            chat.store.setCommits(.works)
            ann.send("send_message", #"{"roomId":"lobby","message":"anew"}"#, id: 6)
            await chat.runUntilQuiet()
            #expect(ann.channel.events("resync_required").map { $0["lastSeq"]?.integer } == [2])
            #expect(ann.answer(6)?.seq == 3)
            #expect(ann.messages.last == "anew")
            #expect(try await chat.store.messages(in: "lobby") == ["m1", "m2", "anew"])
        }
    }

    @Test func aComparisonThatFailsIsTriedAgain() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            chat.store.setCommits(.fails)
            ann.send("send_message", #"{"roomId":"lobby","message":"refused"}"#, id: 1)
            await chat.runUntilQuiet()
            chat.store.setCommits(.works)
            chat.store.setReads(.fails)
            ann.send("send_message", #"{"roomId":"lobby","message":"waits"}"#, id: 2)
            await chat.advance(by: .seconds(1))
            #expect(ann.answer(2) == nil, "nothing is written to a room that was not compared")
            #expect(chat.store.calls("lastSequences") >= 3)
            chat.store.setReads(.works)
            await chat.advance(by: .milliseconds(250))
            #expect(ann.answer(2)?.seq == 1)
        }
    }
}
