import ChatTestSupport
import ChatDomain
import Compression
import Foundation
import JSON
import Testing

@testable import ChatProtocol

@Suite struct EnvelopeTests {
    private static let object = Array(#"{"a":1}"#.utf8)

    @Test(arguments: [
        (FrameEncoding.event, #"{"event":"e","data":{"a":1}}"#), (.eventDeflated, #"{"event":"e","data":{"a":1}}"#),
        (.type, #"{"type":"e","a":1}"#), (.typeDeflated, #"{"type":"e","a":1}"#), (.socketIO, #"42["e",{"a":1}]"#),
        (.socketIODeflated, #"42["e",{"a":1}]"#), (.socketIOPolling, #"42["e",{"a":1}]"#),
    ]) func anEventLooksTheSameInEveryFraming(_ encoding: FrameEncoding, _ text: String) {
        let envelope = encoding.envelope("e", data: Self.object)
        #expect(envelope.bytes.text == text)
        #expect(envelope.count == text.utf8.count)
    }

    @Test(
        arguments: [
            ("message_history", "[1]", #"{"type":"message_history","messages":[1]}"#),
            ("room_users", "[]", #"{"type":"room_users","users":[]}"#), ("pong", "3", #"{"type":"pong","data":3}"#),
            ("pong", "null", #"{"type":"pong","data":null}"#), ("pong", "{}", #"{"type":"pong"}"#),
        ] as [(StaticString, String, String)]) func typeFramesNameWhatIsNoObject(
            _ event: StaticString, _ data: String, _ text: String
        )
    {
        #expect(FrameEncoding.type.envelope(event, data: Array(data.utf8)).bytes.text == text)
    }

    @Test(arguments: [
        (FrameEncoding.event, RequestTag.number(7), #"{"event":"ack","id":7,"data":{"a":1}}"#),
        (.type, .number(-1), #"{"type":"ack","id":-1,"a":1}"#),
        (.type, .text("q\"x"), #"{"type":"ack","id":"q\"x","a":1}"#),
        (.event, .text("x"), #"{"event":"ack","id":"x","data":{"a":1}}"#),
        (.socketIO, .acknowledgement(12), #"4312[{"a":1}]"#),
        (.socketIOPolling, .acknowledgement(0), #"430[{"a":1}]"#),
    ]) func answersCarryTheirTag(_ encoding: FrameEncoding, _ tag: RequestTag, _ text: String) {
        #expect(encoding.answer(tag, data: Self.object).bytes.text == text)
    }

    @Test(arguments: [("[1,2]", #"{"type":"ack","id":7,"data":[1,2]}"#), ("{}", #"{"type":"ack","id":7}"#)])
    func typeAnswersNameWhatIsNoObject(_ data: String, _ text: String) {
        #expect(FrameEncoding.type.answer(.number(7), data: Array(data.utf8)).bytes.text == text)
    }
}

@Suite struct EncodedFramesTests {
    private let deflater = Deflater(windowBits: 13)

    private func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        bytes.count < 50 ? nil : deflater.compress(Array(bytes))
    }

    private func frames(_ data: [UInt8], _ encodings: [FrameEncoding] = FrameEncoding.allCases, times: Int = 1)
        -> EncodedFrames
    {
        var frames = EncodedFrames()
        for _ in 0..<times { frames.append("e", data: data, for: encodings, deflate: deflate) }
        return frames
    }

    @Test func shortEventsAreFramedAsTheyAre() {
        let frames = frames(Array("{}".utf8))
        let text = #"{"event":"e","data":{}}"#
        #expect(frames[.event] == [0x81, UInt8(text.utf8.count)] + Array(text.utf8))
        #expect(frames[.eventDeflated] == frames[.event])
        #expect(frames[.socketIOPolling].text == #"42["e",{}]"#)
    }

    @Test func longEventsAreCompressedForClientsThatAgreed() {
        let data = Array(("{\"a\":\"" + String(repeating: "ab", count: 100) + "\"}").utf8)
        let frames = frames(data)
        for (plain, squeezed) in [
            (FrameEncoding.event, FrameEncoding.eventDeflated), (.type, .typeDeflated), (.socketIO, .socketIODeflated),
        ] {
            let frame = frames[squeezed]
            #expect(frame[0] == 0xC1)
            #expect(Int(frame[1]) == frame.count - 2)
            let text = plain.envelope("e", data: data).bytes
            #expect(Inflater().inflate(Array(frame[2...]), limit: 10_000) == .message(text))
            #expect(frames[plain].starts(with: [0x81, 126]))
            #expect(Array(frames[plain].dropFirst(4)) == text)
        }
    }

    @Test func onlyTheFormsAskedForAreMade() {
        let frames = frames(Array("{}".utf8), [.type])
        #expect(frames[.event].isEmpty)
        #expect(!frames[.type].isEmpty)
    }

    @Test func severalEventsFollowEachOther() {
        let frames = frames(Array("{}".utf8), times: 3)
        #expect(frames[.socketIOPolling].text == ["", "", ""].map { _ in #"42["e",{}]"# }.joined(separator: "\u{1E}"))
        #expect(frames[.event].count == 3 * (2 + 23))
        // A session that moved from polling to a WebSocket meanwhile gets the same packets, framed.
        #expect(frames.framedPackets(for: .socketIO) == frames[.socketIO])
    }
}

@Suite struct EventJSONTests {
    @Test func aMessageHasTheContractsFields() {
        let expected =
            #"{"messageId":"0123456789abcdef00112233","seq":7,"roomId":"lobby","userId":"ann","username":"Ann \"A\"","#
            + #""message":"line\none","messageType":"text","timestamp":1767323045678"#
        #expect(MessageJSON.encode(.sample()).text == expected + "}")
        #expect(
            MessageJSON.encode(.sample(metadata: #"{"k":1}"#, clientID: "c", replyTo: "r")).text
                == expected + #","clientMessageId":"c","metadata":{"k":1},"replyTo":"r"}"#)
        #expect(EventJSON.messages([]).text == "[]")
        #expect(EventJSON.messages([.sample(), .sample()]).text == "[\(expected)},\(expected)}]")
    }

    @Test func announcementsHaveTheContractsFields() {
        let room = RoomID(unchecked: "lobby")
        let state = RoomState(roomID: room, lastSequence: 9, members: 3, online: 2)
        let user = #""roomId":"lobby","userId":"ann","username":"Ann \"A\"""#
        let cases: [(RoomAnnouncement, String, String)] = [
            (.joined(.ann), "user_joined", "{\(user)}"), (.left(.ann), "user_left", "{\(user)}"),
            (.typing(.ann, isTyping: true), "user_typing", "{\(user),\"isTyping\":true}"),
            (.read(.ann, 5), "message_read", #"{"roomId":"lobby","userId":"ann","seq":5}"#),
            (.state(state), "room_state", #"{"roomId":"lobby","lastSeq":9,"members":3,"online":2}"#),
        ]
        for (announcement, name, json) in cases {
            let (event, data) = EventJSON.announcement(announcement, in: room)
            #expect("\(event)" == name)
            #expect(data.text == json)
        }
        #expect(EventJSON.users([.ann]).text == #"[{"userId":"ann","username":"Ann \"A\""}]"#)
    }

    @Test func errorsSayWhatAndWhetherToTryAgain() {
        let error = ChatError(.rateLimited, "slow", retryAfter: .milliseconds(50))
        let now = Timestamp(milliseconds: 0)
        let body = #""code":"rate_limited","message":"slow","retryable":true,"retryAfterMs":50"#
        #expect(EventJSON.error(error, event: nil, isFlat: false, at: now).text == "{\(body)}")
        #expect(
            EventJSON.error(error, event: "typing", isFlat: true, at: now).text
                == "{\(body),\"event\":\"typing\",\"timestamp\":\"1970-01-01T00:00:00.000Z\"}")
        #expect(
            EventJSON.refusal(.notJoined).text
                == #"{"success":false,"error":{"code":"not_joined","message":"join the room first","retryable":false}}"#
        )
        #expect(EventJSON.success().text == #"{"success":true}"#)
    }
}
