import ChatCore
import ChatTestSupport
import ChatDomain
import TestSupport
import Testing

@testable import Gateway

/// What an outage of the store leaves behind: members who stay members, and numbers that go on where the store is.
@Suite struct StoreOutageTests {
    private static let room = RoomID(unchecked: "lobby")

    @Test func whoWasNeverShownTheRoomIsNotInIt() async throws {
        try await GatewayHost.serve { host in
            host.store.fill(Self.room, count: 300)
            _ = try await host.client("ann", in: "lobby")
            let bob = try await host.client("bob")
            host.store.setReads(.fails)
            try await bob.say("join_room", ["roomId": "lobby", "since": 1], id: 1)
            #expect(try await bob.answer(1).code == "storage_unavailable")
            try await bob.say("send_message", ["roomId": "lobby", "message": "x"], id: 2)
            #expect(try await bob.answer(2).code == "not_joined")
        }
    }

    @Test func sendsToTwoRoomsAreRefusedTogether() async throws {
        let limit: Int64 = 4000
        try await GatewayHost.serve({ $0.chat.roomLimits.storeMilliseconds = limit }) { host in
            let ann = try await host.client("ann", in: "lobby")
            for room in 1...4 {
                try await ann.say("join_room", ["roomId": "room-\(room)"], id: room)
                #expect(try await ann.answer(room).success)
            }
            host.store.setCommits(.holds)
            for room in 1...4 {
                try await ann.say("send_message", ["roomId": "room-\(room)", "message": "x"], id: 10 + room)
            }
            #expect(try await ann.answer(11).code == "storage_unavailable")
            // One limit each after the other would be three more.
            let took = try await ContinuousClock().measure { () async throws in
                for room in 2...4 { #expect(try await ann.answer(10 + room).code == "storage_unavailable") }
            }
            #expect(took < .milliseconds(limit * 2))
        }
    }

    @Test func aStoreThatLostWhatItHadAcknowledgedIsFollowed() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann", in: "lobby")
            for number in 1...4 {
                try await ann.say("send_message", ["roomId": "lobby", "message": "m\(number)"], id: number)
                #expect(try await ann.answer(number).seq == number)
                #expect(try await ann.await("new_message").seq == number)
            }
            host.store.setCommits(.fails)
            try await ann.say("send_message", ["roomId": "lobby", "message": "refused"], id: 5)
            #expect(try await ann.answer(5).code == "storage_unavailable")
            host.store.lose(Self.room, keeping: 2)
            host.store.setCommits(.works)
            try await ann.say("send_message", ["roomId": "lobby", "message": "anew"], id: 6)
            #expect(try await ann.await("resync_required").fields["lastSeq"] as? Int == 2)
            #expect(try await ann.answer(6).seq == 3)
            let message = try await ann.await("new_message")
            #expect(message.seq == 3 && message.message == "anew")
            #expect(host.store.messages(in: Self.room) == ["m1", "m2", "anew"])
        }
    }
}
