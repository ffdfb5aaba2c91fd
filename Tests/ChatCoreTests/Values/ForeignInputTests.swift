import ChatDomain
import JSON
import ChatProtocol
import Testing
import TestSupport

@testable import ChatCore

/// Messages of other instances come through Redis, where every client may publish.
@Suite struct ForeignInputTests {
    private static let numbers = [
        "1e300", "-1e17", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "9007199254740992",
        "1.5", "-1", "0", "null", "true",
    ]

    private func decode(_ text: String) -> RoomNews? {
        Array(text.utf8).withUnsafeBytes { bytes in
            guard let root = try? JSONParser().parse(bytes) else { return nil }
            return RoomNewsCodec.decode(root, in: RoomID(unchecked: "r"))?.1
        }
    }

    private func message(seq: String = "7", timestamp: String = "1") -> String {
        #"{"instance":"i","type":"new_message","data":{"messageId":"0123456789abcdef01234567","seq":\#(seq),"roomId":"r","#
            + #""userId":"u","username":"U","message":"m","messageType":"text","timestamp":\#(timestamp)}}"#
    }

    @Test(arguments: numbers) func noNumberStopsARoom(_ number: String) {
        let texts = [
            message(seq: number), message(timestamp: number),
            #"{"instance":"i","type":"message_read","data":{"userId":"u","username":"U","seq":\#(number)}}"#,
            #"{"instance":"i","type":"room_rewound","data":{"seq":\#(number)}}"#,
        ]
        let room = Room(
            id: RoomID(unchecked: "r"), kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0))
        for newest in [SequenceNumber(0), 6, MessageNumbers.valid.upperBound] {
            var live = LiveRoom(
                RoomSnapshot(room: room, participants: [], lastSequence: newest), limits: RoomLimits())
            for text in texts {
                guard let news = decode(text) else { continue }
                if case .message(let message) = news {
                    #expect(MessageNumbers.valid.contains(message.sequence) && message.timestamp.iso8601.count == 24)
                }
                _ = live.receive(news, from: InstanceID("i"), at: Moment(milliseconds: 0))
                _ = live.tick(at: Moment(milliseconds: 1000))
                for since in [SequenceNumber(0), live.lastSequence, .max] {
                    _ = live.view(HistoryRequest(since: since))
                }
            }
        }
    }

    @Test func damagedNewsAreTakenApartWithoutATrap() {
        let texts = [message(), #"{"kind":"spent","users":["ann"],"counts":[7]}"#].map { Array($0.utf8) }
        let pieces = Array("0123456789eE+-.[]{},:\"null".utf8)
        let parser = JSONParser()
        var random = SplitMix(seed: 5)
        for _ in 0..<20_000 {
            var text = texts[Int.random(in: 0..<2, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                text[Int.random(in: 0..<text.count, using: &random)] =
                    pieces[
                        Int.random(in: 0..<pieces.count, using: &random)]
            }
            _ = InstanceMessage(decoding: text)
            text.withUnsafeBytes { bytes in
                guard let root = try? parser.parse(bytes) else { return }
                _ = RoomNewsCodec.decode(root, in: RoomID(unchecked: "r"))
            }
        }
    }

    @Test func anIntegerBeyondInt64IsTheNearest() {
        var out = JSONWriter()
        out.array([UInt64.max]) { $0.integer($1) }
        #expect(String(decoding: out.bytes, as: UTF8.self) == "[9223372036854775807]")
    }
}
