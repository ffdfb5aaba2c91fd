import ChatDomain
import JSON
import Testing

@testable import ChatProtocol

@Suite struct RoomNewsTests {
    /// A frame of 32 levels may hold metadata of 31, and the news of it have two levels around it.
    @Test func metadataOfAFrameAsDeepAsAllowedIsDecoded() {
        let room = RoomID(unchecked: "lobby")
        var body = MessageBody(author: UserID(unchecked: "ann"), username: "Ann", text: "deep", kind: "text")
        body.metadata = String(repeating: #"{"a":"#, count: 31) + "1" + String(repeating: "}", count: 31)
        let message = Message(
            id: MessageID(high: 1, low: 2), sequence: 1, roomID: room, body: body,
            timestamp: Timestamp(milliseconds: 1))
        let news = RoomNewsCodec.encode(.message(message), from: InstanceID("i1"), in: room)
        let heard = news.withUnsafeBytes { bytes in
            (try? JSONParser(maximumDepth: RoomNewsCodec.maximumDepth).parse(bytes))
                .flatMap { RoomNewsCodec.decode($0, in: room) }
        }
        guard case .message(let copy)? = heard?.1 else {
            Issue.record("not decoded")
            return
        }
        #expect(copy.body.metadata == body.metadata)
    }
}
