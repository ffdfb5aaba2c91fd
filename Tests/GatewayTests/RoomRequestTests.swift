import ChatTestSupport
import TestSupport
import Testing

@testable import Gateway

/// The effects of a change over REST on members on sockets, and on callers that wait.
@Suite struct RoomRequestTests {
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
            async let sending = call(host, "POST", "/api/chat/lobby/messages", body: #"{"message":"x"}"#)
            #expect(await eventually { host.store.heldCommits == 1 })
            #expect(try await call(host, "DELETE", "/api/rooms/lobby").status == 200)
            #expect(try await sending.status == 403)
            withExtendedLifetime(ann) {}
        }
    }

    @Test func deletingTellsTheMembersAndTheRoomIsGone() async throws {
        try await GatewayHost.serve(loops: 2) { host in
            let ann = try await host.client("ann", in: "lobby")
            #expect(try await call(host, "DELETE", "/api/rooms/lobby").status == 200)
            #expect(try await ann.receive("error").code == "forbidden")
            try await ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1)
            #expect(try await ann.receiveAnswer(1).code == "not_joined")
        }
    }
}
