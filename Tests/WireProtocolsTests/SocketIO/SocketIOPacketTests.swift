import TestSupport
import Testing
import WireProtocols

@Suite struct SocketIOPacketTests {
    private func decode(_ text: String) throws(SocketIOPacketError) -> SocketIOPacket { try decode(Array(text.utf8)) }

    private func decode(_ bytes: [UInt8]) throws(SocketIOPacketError) -> SocketIOPacket {
        try bytes.withUnsafeBufferPointer { (bytes) throws(SocketIOPacketError) in
            try SocketIOPacket.decode(UnsafeRawBufferPointer(bytes), in: 0..<bytes.count, maximumAttachments: 10)
        }
    }

    struct Sample: Sendable, CustomStringConvertible {
        let text: String
        let type: SocketIOPacketType
        var namespace: String?
        var id: UInt64?
        var attachments = 0
        var payload = ""
        var description: String { text }
    }

    @Test(arguments: [
        Sample(text: "0", type: .connect),
        Sample(text: #"0{"token":"123"}"#, type: .connect, payload: #"{"token":"123"}"#),
        Sample(text: "0/custom,", type: .connect, namespace: "/custom"),
        Sample(text: "0/custom", type: .connect, namespace: "/custom"),
        Sample(text: #"0/custom,{"a":1}"#, type: .connect, namespace: "/custom", payload: #"{"a":1}"#),
        Sample(text: "1", type: .disconnect),
        Sample(text: "1/custom,", type: .disconnect, namespace: "/custom"),
        Sample(text: #"2["a",1]"#, type: .event, payload: #"["a",1]"#),
        Sample(text: #"2456["a"]"#, type: .event, id: 456, payload: #"["a"]"#),
        Sample(text: #"20["a"]"#, type: .event, id: 0, payload: #"["a"]"#),
        Sample(text: #"2/c,12["a",","]"#, type: .event, namespace: "/c", id: 12, payload: #"["a",","]"#),
        Sample(text: "29007199254740991[1]", type: .event, id: 9_007_199_254_740_991, payload: "[1]"),
        Sample(text: "3007[]", type: .ack, id: 7, payload: "[]"),
        Sample(text: "3/c,7[1,2]", type: .ack, namespace: "/c", id: 7, payload: "[1,2]"),
        Sample(text: #"4{"message":"no"}"#, type: .connectError, payload: #"{"message":"no"}"#),
        Sample(text: #"4"no""#, type: .connectError, payload: #""no""#),
        Sample(text: "51-[1]", type: .binaryEvent, attachments: 1, payload: "[1]"),
        Sample(text: "510-/c,3[1]", type: .binaryEvent, namespace: "/c", id: 3, attachments: 10, payload: "[1]"),
        Sample(text: "62-9[1]", type: .binaryAck, id: 9, attachments: 2, payload: "[1]"),
    ])
    func packetsAreRead(sample: Sample) throws {
        let bytes = Array(sample.text.utf8)
        let packet = try decode(bytes)
        #expect(packet.type == sample.type)
        #expect(packet.namespace.map { String(decoding: bytes[$0], as: UTF8.self) } == sample.namespace)
        #expect(packet.id == sample.id)
        #expect(packet.attachments == sample.attachments)
        #expect(String(decoding: bytes[packet.payload], as: UTF8.self) == sample.payload)
    }

    @Test(arguments: [
        ("", SocketIOPacketError.empty), ("7", .unknownType(UInt8(ascii: "7"))),
        ("abc", .unknownType(UInt8(ascii: "a"))),
        ("\0", .unknownType(0)),
        ("5[1]", .invalidAttachmentCount), ("5-[1]", .invalidAttachmentCount), ("51[1]", .invalidAttachmentCount),
        ("50-[1]", .invalidAttachmentCount), ("5a-[1]", .invalidAttachmentCount), ("5", .invalidAttachmentCount),
        ("51.5-[1]", .invalidAttachmentCount), ("5-1-[1]", .invalidAttachmentCount), ("6", .invalidAttachmentCount),
        ("511-[1]", .tooManyAttachments), ("6999999999-1[1]", .tooManyAttachments),
        ("29007199254740992[1]", .invalidID), ("299999999999999999999999[1]", .invalidID), ("3[1]", .invalidID),
        ("61-[1]", .invalidID), ("012{}", .invalidID), ("112", .invalidID), ("43{}", .invalidID),
        ("2", .invalidPayload), ("2{}", .invalidPayload), (#"2abc["a"]"#, .invalidPayload), (#"2"a""#, .invalidPayload),
        ("2-1[1]", .invalidPayload), ("2 [1]", .invalidPayload), ("2/c[1]", .invalidPayload), ("31", .invalidPayload),
        ("0[]", .invalidPayload), ("0null", .invalidPayload), ("1{}", .invalidPayload), ("1/c,[]", .invalidPayload),
        ("4", .invalidPayload), ("4[]", .invalidPayload), ("51-", .invalidPayload),
    ])
    func malformedPacketsAreErrors(text: String, error: SocketIOPacketError) {
        #expect(throws: error) { try decode(text) }
    }

    @Test func namespacesAreBounded() throws {
        let longest = "/" + String(repeating: "n", count: 127)
        #expect(try decode("0\(longest),").namespace == 1..<129)
        #expect(try decode("0\(longest)").namespace == 1..<129)
        #expect(throws: SocketIOPacketError.namespaceTooLong) { try decode("0\(longest)n,") }
        #expect(throws: SocketIOPacketError.namespaceTooLong) { try decode("0\(longest)nn") }
    }

    @Test func aRangeOfTheBytesIsEnough() throws {
        let bytes = Array("4xx2/c,5[1]yy".utf8)
        let packet = try bytes.withUnsafeBytes { bytes in
            try SocketIOPacket.decode(bytes, in: 3..<bytes.count - 2, maximumAttachments: 10)
        }
        #expect(String(decoding: bytes[packet.payload], as: UTF8.self) == "[1]")
        #expect(packet.id == 5)
    }

    @Test func everyTruncationIsReadOrRefused() {
        for text in [#"2/custom,456["a",{"b":1}]"#, "52-/c,1[0]", #"0/custom,{"token":"123"}"#] {
            let bytes = Array(text.utf8)
            for length in 0..<bytes.count {
                guard let packet = try? decode(Array(bytes[..<length])) else { continue }
                #expect(packet.payload.upperBound == length)
            }
        }
    }

    @Test func mutationsNeverTrap() {
        var random = SplitMix(seed: 5)
        let seeds = [#"2/custom,456["a",1]"#, "52-/c,1[0]", "0/custom", "3007[]", "51-[1]", "1/c,"].map {
            Array($0.utf8)
        }
        var outcomes = Set<Bool>()
        for _ in 0..<5000 {
            let bytes = random.mutate(seeds[Int.random(in: 0..<seeds.count, using: &random)])
            let packet = try? decode(bytes)
            outcomes.insert(packet != nil)
            if let packet { #expect(packet.payload.upperBound == bytes.count) }
        }
        #expect(outcomes == [true, false])
    }
}
