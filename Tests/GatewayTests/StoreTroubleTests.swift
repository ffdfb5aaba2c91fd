import ChatCore
import ChatTestSupport
import ChatDomain
import TestSupport
import Testing

@testable import Gateway

/// What clients see of a store that fails, is slow, or never answers.
@Suite struct StoreTroubleTests {
    private static let room = RoomID(unchecked: "lobby")

    /// The store is waited for no longer than this; what it does answer must not take as long on a busy machine.
    private static func impatient(_ configuration: inout GatewayConfiguration) {
        configuration.chat.roomLimits.storeMilliseconds = 2000
    }

    @Test func aFailingStoreRefusesAtOnceAndCanRecover() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann", in: "lobby")
            host.store.setCommits(.fails)
            try await ann.say("send_message", ["roomId": "lobby", "message": "lost"], id: 1)
            let refusal = try await ann.answer(1)
            #expect(!refusal.success && refusal.code == "storage_unavailable")
            #expect((refusal.fields["error"] as? [String: Any])?["retryable"] as? Bool == true)
            host.store.setCommits(.works)
            try await ann.say("send_message", ["roomId": "lobby", "message": "kept"], id: 2)
            let answer = try await ann.answer(2)
            #expect(answer.success && answer.seq == 1)
            #expect(host.store.messages(in: Self.room) == ["kept"])
        }
    }

    @Test func aStoreThatNeverAnswersRefusesAfterTheLimit() async throws {
        try await GatewayHost.serve(Self.impatient) { host in
            let ann = try await host.client("ann", in: "lobby")
            host.store.setCommits(.holds)
            for number in 1...3 {
                try await ann.say("send_message", ["roomId": "lobby", "message": "m\(number)"], id: number)
            }
            for number in 1...3 { #expect(try await ann.answer(number).code == "storage_unavailable") }
            // The connection is not held up by it.
            try await ann.say("ping", ["still": "there"], id: 4)
            #expect(try await ann.answer(4).success)
        }
    }

    @Test func aLateCommitStillReachesEverybodyAndOnlyTheRefusedOnesThatWaitedAreDropped() async throws {
        try await GatewayHost.serve(Self.impatient) { host in
            let ann = try await host.client("ann", in: "lobby")
            let bob = try await host.client("bob", in: "lobby")
            _ = try await ann.await("user_joined")
            host.store.setCommits(.holds)
            try await ann.say("send_message", ["roomId": "lobby", "message": "late"], id: 1)
            #expect(await eventually { host.store.heldCommits == 1 })
            try await ann.say("send_message", ["roomId": "lobby", "message": "never"], id: 2)
            #expect(try await ann.answer(1).code == "storage_unavailable")
            #expect(try await ann.answer(2).code == "storage_unavailable")
            host.store.setCommits(.works)
            host.store.release()
            for client in [ann, bob] {
                let message = try await client.await("new_message")
                #expect(message.message == "late" && message.seq == 1)
            }
            try await ann.say("send_message", ["roomId": "lobby", "message": "next"], id: 3)
            #expect(try await bob.await("new_message").seq == 2)
            #expect(host.store.messages(in: Self.room) == ["late", "next"])
        }
    }

    @Test func sendersOfOneTurnShareACommitAndWaitersTheNext() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann", in: "lobby")
            let before = host.store.commitSizes.count
            host.store.setCommits(.holds)
            try await ann.say("send_message", ["roomId": "lobby", "message": "first"], id: 1)
            #expect(await eventually { host.store.heldCommits == 1 })
            for number in 2...10 {
                try await ann.say("send_message", ["roomId": "lobby", "message": "m\(number)"], id: number)
            }
            // A ping is answered behind what came before it was taken up.
            #expect(host.store.commitSizes.count == before + 1)
            host.store.setCommits(.works)
            host.store.release()
            for number in 1...10 { #expect(try await ann.answer(number).seq == number) }
            #expect(host.store.commitSizes.dropFirst(before).reduce(0, +) == 10)
            #expect(host.store.commitSizes.count < before + 10)
        }
    }

    @Test func aRetryIsAnsweredAsTheFirstWas() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann", in: "lobby")
            let message = ["roomId": "lobby", "message": "once", "clientMessageId": "c1"]
            try await ann.say("send_message", message, id: 1)
            let first = try await ann.answer(1)
            try await ann.say("send_message", message, id: 2)
            let again = try await ann.answer(2)
            #expect(again.fields["duplicate"] as? Bool == true)
            #expect(again.fields["messageId"] as? String == first.fields["messageId"] as? String)
            #expect(again.seq == 1)
            try await ann.say("send_message", ["roomId": "lobby", "message": "other", "clientMessageId": "c1"], id: 3)
            #expect(try await ann.answer(3).code == "conflict")
            #expect(host.store.messages(in: Self.room) == ["once"])
        }
    }

    @Test func aRoomThatCannotBeReadIsRefusedAndLaterEntered() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann")
            host.store.setReads(.fails)
            try await ann.say("join_room", ["roomId": "lobby"], id: 1)
            #expect(try await ann.answer(1).code == "storage_unavailable")
            host.store.setReads(.works)
            try await ann.say("join_room", ["roomId": "lobby"], id: 2)
            #expect(try await ann.answer(2).success)
        }
    }

    @Test func whatIsStoredBetweenReadingAndJoiningIsNotLost() async throws {
        try await GatewayHost.serve { host in
            host.store.fill(Self.room, count: 200)
            let ann = try await host.client("ann", in: "lobby")
            let bob = try await host.client("bob")
            host.store.setReads(.holds)
            try await bob.say("join_room", ["roomId": "lobby", "since": 10], id: 1)
            #expect(await eventually { host.store.heldReads == 1 })
            for number in 1...3 {
                try await ann.say("send_message", ["roomId": "lobby", "message": "live \(number)"], id: number)
                #expect(try await ann.answer(number).success)
            }
            host.store.setReads(.works)
            host.store.release()
            let history = try await bob.await("message_history")
            #expect(history.list.compactMap { $0["seq"] as? Int } == Array(11...203))
            try await ann.say("send_message", ["roomId": "lobby", "message": "after"], id: 4)
            #expect(try await bob.await("new_message").seq == 204)
        }
    }

    @Test func readsThatAreNeverAnsweredRefuseTheJoinAfterTheLimitAndLeaveTheNextOneFree() async throws {
        try await GatewayHost.serve(Self.impatient) { host in
            host.store.fill(Self.room, count: 100)
            let ann = try await host.client("ann")
            host.store.setReads(.holds)
            try await ann.say("join_room", ["roomId": "lobby"], id: 1)
            #expect(try await ann.answer(1).code == "storage_unavailable")
            host.store.setReads(.works)
            try await ann.say("join_room", ["roomId": "lobby"], id: 2)
            #expect(try await ann.answer(2).success)
            host.store.release()
            try await ann.say("send_message", ["roomId": "lobby", "message": "on"], id: 3)
            #expect(try await ann.answer(3).seq == 101)
        }
    }

    @Test func manyWhoJoinAtOnceShareOneRead() async throws {
        try await GatewayHost.serve { host in
            host.store.fill(Self.room, count: 100)
            var clients: [ChatClient] = []
            for number in 0..<10 { clients.append(try await host.client("user\(number)")) }
            try await clients[0].say("join_room", ["roomId": "nowhere"], id: 0)
            #expect(try await clients[0].answer(0).success)
            host.store.setReads(.holds)
            for client in clients { try await client.say("join_room", ["roomId": "lobby"], id: 1) }
            #expect(await eventually { host.store.heldReads == 1 })
            host.store.setReads(.works)
            host.store.release()
            for client in clients { #expect(try await client.answer(1).success) }
            #expect(host.store.historyReads == 1)
        }
    }

    // MARK: Joining

    @Test func aJoinIsAnsweredOnceTheStoreHasTheParticipant() async throws {
        try await GatewayHost.serve { host in
            _ = try await host.client("ann", in: "lobby")
            host.store.setCommits(.holds)
            let bob = try await host.client("bob")
            try await bob.say("join_room", ["roomId": "lobby"], id: 1)
            #expect(await eventually { host.store.heldCommits == 1 })
            #expect(host.store.participants(of: "lobby") == ["ann"])
            host.store.release()
            #expect(try await bob.answer(1).success)
            #expect(host.store.participants(of: "lobby") == ["ann", "bob"])
        }
    }

    @Test func withoutTheStoreNewcomersAreRefusedAndParticipantsJoin() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann", in: "lobby")
            host.store.setCommits(.fails)
            let bob = try await host.client("bob")
            try await bob.say("join_room", ["roomId": "lobby"], id: 1)
            let refusal = try await bob.answer(1)
            #expect(!refusal.success && refusal.code == "storage_unavailable")
            try await ann.say("leave_room", ["roomId": "lobby"], id: 1)
            #expect(try await ann.answer(1).success)
            try await ann.say("join_room", ["roomId": "lobby"], id: 2)
            #expect(try await ann.answer(2).success)
            // What was refused has left nothing behind.
            try await bob.say("send_message", ["roomId": "lobby", "message": "hello"], id: 2)
            #expect(try await bob.answer(2).code == "not_joined")
            host.store.setCommits(.works)
            try await bob.say("join_room", ["roomId": "lobby"], id: 3)
            #expect(try await bob.answer(3).success)
            #expect(host.store.participants(of: "lobby") == ["ann", "bob"])
        }
    }

    @Test func aJoinThatWaitsForTheStoreIsRefusedWhenTheRoomIsDeleted() async throws {
        try await GatewayHost.serve { host in
            _ = try await host.client("ann", in: "lobby")
            host.store.setCommits(.holds)
            let bob = try await host.client("bob")
            try await bob.say("join_room", ["roomId": "lobby"], id: 1)
            #expect(await eventually { host.store.heldCommits == 1 })
            let boss = try LoopbackClient(port: host.port)
            try await boss.send(
                LoopbackClient.request("DELETE", "/api/rooms/lobby", fields: ["X-Service-Key: service"]))
            #expect(try await boss.receiveResponse().status == 200)
            #expect(try await bob.answer(1).code == "forbidden")
        }
    }
}
