import ChatTestSupport
import ChatDomain
import Telemetry
import TestSupport
import Testing

@testable import ChatCore
@testable import Gateway

/// Rooms that change or vanish while somebody waits for them.
@Suite struct RoomChangeTests {
    private static let room = RoomID(unchecked: "lobby")

    private func call(_ host: GatewayHost, _ method: String, _ path: String, body: String? = nil) async throws
        -> ReceivedResponse
    {
        let client = try LoopbackClient(port: host.port)
        let fields = ["X-Service-Key: service", "X-User-Id: boss", "Content-Type: application/json"]
        try await client.send(LoopbackClient.request(method, path, fields: fields, body: body))
        return try await client.receiveResponse()
    }

    @Test func aSenderIntoARoomThatIsDeletedMeanwhileIsAnswered() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann", in: "lobby")
            host.store.setCommits(.holds)
            try await ann.say("send_message", ["roomId": "lobby", "message": "in flight"], id: 1)
            #expect(await eventually { host.store.heldCommits == 1 })
            try await ann.say("send_message", ["roomId": "lobby", "message": "waiting"], id: 2)
            try await ann.say("ping", [:], id: 3)
            #expect(try await call(host, "DELETE", "/api/rooms/lobby").status == 200)
            #expect(try await ann.answer(1).success == false)
            #expect(try await ann.answer(2).success == false)
            #expect(try await ann.answer(3).success)
            // The id may be used again, also while the old room's write is still on its way.
            try await ann.say("join_room", ["roomId": "lobby"], id: 4)
            host.store.setCommits(.works)
            host.store.release()
            #expect(try await ann.answer(4).success)
            try await ann.say("send_message", ["roomId": "lobby", "message": "anew"], id: 5)
            #expect(try await ann.answer(5).success)
            #expect(try await ann.await("new_message").message == "anew")
        }
    }

    @Test func aRESTSenderIntoARoomThatIsDeletedMeanwhileIsAnswered() async throws {
        try await GatewayHost.serve { host in
            let ann = try await host.client("ann", in: "lobby")
            host.store.setCommits(.holds)
            async let sending = call(host, "POST", "/api/chat/lobby/messages", body: #"{"message":"x"}"#)
            #expect(await eventually { host.store.heldCommits == 1 })
            #expect(try await call(host, "DELETE", "/api/rooms/lobby").status == 200)
            #expect(try await sending.status == 403)
            withExtendedLifetime(ann) {}
        }
    }

    @Test func whoIsExpelledWhileJoiningIsAnswered() async throws {
        try await GatewayHost.serve { host in
            host.store.fill(Self.room, count: 100)
            let ann = try await host.client("ann")
            // The room is in memory, its history is not.
            #expect(try await call(host, "GET", "/api/rooms/lobby").status == 200)
            host.store.setReads(.holds)
            try await ann.say("join_room", ["roomId": "lobby"], id: 1)
            try await ann.say("ping", [:], id: 2)
            #expect(await eventually { host.store.heldReads == 1 })
            #expect(try await call(host, "DELETE", "/api/rooms/lobby/participants/ann").status == 200)
            host.store.setReads(.works)
            host.store.release()
            #expect(try await ann.answer(1).success == false)
            #expect(try await ann.answer(2).success)
        }
    }

    /// The store's trouble takes nobody out of a room who was shown it before.
    @Test func whoseSecondJoinFailsStaysInTheRoomAltogether() async throws {
        try await GatewayHost.serve { host in
            host.store.fill(Self.room, count: 300)
            let ann = try await host.client("ann", in: "lobby")
            let bob = try await host.client("bob", in: "lobby")
            host.store.setReads(.fails)
            try await ann.say("join_room", ["roomId": "lobby", "since": 1], id: 1)
            #expect(try await ann.answer(1).code == "storage_unavailable")
            host.store.setReads(.works)
            try await bob.say("send_message", ["roomId": "lobby", "message": "for ann too"], id: 1)
            #expect(try await bob.answer(1).success)
            #expect(try await ann.await("new_message").message == "for ann too")
            try await ann.say("send_message", ["roomId": "lobby", "message": "still here"], id: 2)
            #expect(try await ann.answer(2).success)
            #expect(try await bob.await("new_message").message == "for ann too")
            #expect(try await bob.await("new_message").message == "still here")
            ann.socket.hangUp()
            #expect(await eventually { host.gateway.services.metrics.sessions.value == 1 })
            try await bob.say("send_message", ["roomId": "lobby", "message": "to nobody but bob"], id: 2)
            #expect(try await bob.answer(2).success)
        }
    }

    @Test func deletingTellsTheMembersAndTheRoomIsGone() async throws {
        try await GatewayHost.serve(loops: 2) { host in
            let ann = try await host.client("ann", in: "lobby")
            #expect(try await call(host, "DELETE", "/api/rooms/lobby").status == 200)
            #expect(try await ann.await("error").code == "forbidden")
            try await ann.say("send_message", ["roomId": "lobby", "message": "x"], id: 1)
            #expect(try await ann.answer(1).code == "not_joined")
        }
    }
}
