import Testing

@testable import WireProtocols

@Suite("WebSocket decoder")
struct WebSocketDecoderTests {
    @Test("The examples of RFC 6455 section 5.7")
    func standardExamples() {
        let masked: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        #expect(observe(masked) == [.text("Hello")])
        let fragmented: [UInt8] = [0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]
        #expect(observe(fragmented, role: .client) == [.text("Hello")])
        let pong: [UInt8] = [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        #expect(observe(pong) == [.pong(Array("Hello".utf8))])
    }

    @Test("Payloads around every change of the header's form", arguments: [0, 1, 7, 8, 9, 124, 125, 126, 127, 300])
    func lengths(length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let input = clientFrame(.binary, payload) + clientFrame(.binary, payload)
        #expect(observe(input) == [.binary(payload), .binary(payload)])
    }

    @Test("Long payloads", arguments: [65_535, 65_536, 70_001])
    func longPayloads(length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        #expect(observe(clientFrame(.binary, payload), splits: 7) == [.binary(payload)])
    }

    @Test("A whole frame is handed out in place, a fragmented message in an array of its own")
    func payloadPlaces() {
        var buffer = InputBuffer()
        buffer.append(contentsOf: clientFrame(.text, "one") + clientFrame(.text, "tw", isFinal: false))
        buffer.append(contentsOf: clientFrame(.continuation, "o"))
        var decoder = WebSocketDecoder(.init(maximumMessageBytes: 100))
        guard case .message(_, _, .slice(let slice)) = decoder.next(&buffer) else {
            Issue.record("not in place")
            return
        }
        #expect(buffer.bytes(of: slice) == Array("one".utf8))
        guard case .message(_, _, .assembled(let bytes)) = decoder.next(&buffer) else {
            Issue.record("not assembled")
            return
        }
        #expect(bytes == Array("two".utf8))
        #expect(bytes.capacity - bytes.count >= InputBuffer.padding)
        #expect(decoder.next(&buffer) == nil)
        #expect(buffer.isEmpty)
    }

    @Test("Several messages and control frames between fragments")
    func interleaving() {
        let input =
            clientFrame(.text, "first") + clientFrame(.text, "se", isFinal: false) + clientFrame(.ping, "p")
            + clientFrame(.continuation, "", isFinal: false) + clientFrame(.continuation, "co", isFinal: false)
            + clientFrame(.pong) + clientFrame(.continuation, "nd") + clientFrame(.binary, [0xFF])
            + clientFrame(.binary, [], isFinal: false) + clientFrame(.continuation, [])
        #expect(
            observe(input) == [
                .text("first"), .ping([0x70]), .pong([]), .text("second"), .binary([0xFF]), .binary([]),
            ])
    }

    @Test("A close during a fragmented message is decoded, and nothing after it")
    func closeEndsEverything() {
        var close: [UInt8] = []
        WebSocketEncoder.appendClose(
            code: 1000, reason: "bye", mask: WebSocketMask(key: 1), to: &close)
        let input = clientFrame(.text, "a", isFinal: false) + close + clientFrame(.ping) + [0xFF, 0xFF]
        #expect(observe(input) == [.close(1000, "bye")])
        #expect(observe(clientFrame(.close)) == [.close(nil, "")])
    }

    @Test("A masked frame is refused by a client, an unmasked one by a server")
    func masking() {
        #expect(observe(clientFrame(.text, "a"), role: .client) == [.failure(1002)])
        #expect(observe([0x81, 0x01, 0x61], role: .server) == [.failure(1002)])
        #expect(observe([0x81, 0x01, 0x61], role: .client) == [.text("a")])
    }

    @Test(
        "What breaks the protocol ends the connection with 1002",
        arguments: [
            ("RSV1 without deflate", [0xC1, 0x80, 0, 0, 0, 0]),
            ("RSV2", [0xA1, 0x80, 0, 0, 0, 0]),
            ("RSV3", [0x91, 0x80, 0, 0, 0, 0]),
            ("opcode 3", [0x83, 0x80, 0, 0, 0, 0]),
            ("opcode 7", [0x87, 0x80, 0, 0, 0, 0]),
            ("opcode 11", [0x8B, 0x80, 0, 0, 0, 0]),
            ("opcode 15", [0x8F, 0x80, 0, 0, 0, 0]),
            ("fragmented ping", [0x09, 0x80, 0, 0, 0, 0]),
            ("fragmented close", [0x08, 0x80, 0, 0, 0, 0]),
            ("ping of 126 bytes", [0x89, 0xFE, 0, 126, 0, 0, 0, 0]),
            ("close with a 64-bit length", [0x88, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1]),
            ("16-bit length of 125", [0x82, 0xFE, 0, 125, 0, 0, 0, 0]),
            ("64-bit length of 65535", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0]),
            ("64-bit length with its top bit", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("stray continuation", [0x80, 0x80, 0, 0, 0, 0]),
            ("stray unfinished continuation", [0x00, 0x80, 0, 0, 0, 0]),
            ("text within a message", [0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0]),
            ("binary within a message", [0x02, 0x80, 0, 0, 0, 0, 0x02, 0x80, 0, 0, 0, 0]),
            ("close payload of one byte", [0x88, 0x81, 0, 0, 0, 0, 0x03]),
        ] as [(String, [UInt8])])
    func violations(name: String, input: [UInt8]) {
        #expect(observe(input + clientFrame(.ping)) == [.failure(1002)], "\(name)")
    }

    @Test(
        "Close codes that may not travel",
        arguments: [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] as [UInt16])
    func refusedCloseCodes(code: UInt16) {
        let payload = [UInt8(code >> 8), UInt8(code & 0xFF)]
        #expect(observe(clientFrame(.close, payload)) == [.failure(1002)])
    }

    @Test(
        "Close codes that may",
        arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999] as [UInt16])
    func allowedCloseCodes(code: UInt16) {
        let payload = [UInt8(code >> 8), UInt8(code & 0xFF)] + Array("ü".utf8)
        #expect(observe(clientFrame(.close, payload)) == [.close(code, "ü")])
    }

    @Test("A close reason that is not UTF-8 is 1007")
    func closeReason() {
        #expect(observe(clientFrame(.close, [0x03, 0xE8, 0xC3])) == [.failure(1007)])
        #expect(observe(clientFrame(.close, [0x03, 0xE8] + [UInt8](repeating: 0x61, count: 123))).count == 1)
    }

    @Test("Text that is not UTF-8 is 1007, whole or in fragments")
    func invalidText() {
        #expect(observe(clientFrame(.text, [0x61, 0xFF])) == [.failure(1007)])
        #expect(observe(clientFrame(.text, [0xE2, 0x82])) == [.failure(1007)])
        let truncated = clientFrame(.text, [0xE2], isFinal: false) + clientFrame(.continuation, [0x82])
        #expect(observe(truncated) == [.failure(1007)])
        #expect(observe(clientFrame(.binary, [0xFF])) == [.binary([0xFF])])
    }

    @Test("A character may be spread over fragments")
    func splitCharacter() {
        let bytes = Array("κ𝄞".utf8)
        let input =
            bytes.indices.reduce(into: [UInt8]()) { input, index in
                let opcode = index == 0 ? WebSocketOpcode.text : .continuation
                input += clientFrame(opcode, [bytes[index]], isFinal: false)
            } + clientFrame(.continuation, [])
        #expect(observe(input) == [.text("κ𝄞")])
    }

    @Test("Bad text is refused before the message, and before the frame, is complete")
    func failsFast() {
        let fragment = clientFrame(.text, [0x61, 0xC0, 0x80], isFinal: false)
        #expect(observe(fragment) == [.failure(1007)])
        let frame = clientFrame(.text, [0x61, 0xED, 0xA0] + [UInt8](repeating: 0x61, count: 500))
        #expect(observe(Array(frame.prefix(20))) == [.failure(1007)])
    }
}
