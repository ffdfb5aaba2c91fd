import TestSupport
import Testing
import WireProtocols

@Suite struct EngineIOPacketTests {
    private func decode(_ text: String) throws(EngineIOPacketError) -> (EngineIOPacket, content: String) {
        let bytes = Array(text.utf8)
        let packet = try bytes.withUnsafeBufferPointer { (bytes) throws(EngineIOPacketError) in
            try EngineIOPacket.decode(text: UnsafeRawBufferPointer(bytes), in: 0..<bytes.count)
        }
        return (packet, String(decoding: bytes[packet.content], as: UTF8.self))
    }

    @Test(arguments: zip("0123456", EngineIOPacketType.allCases))
    func everyTypeIsItsDigit(digit: Character, type: EngineIOPacketType) throws {
        let bare = try decode(String(digit))
        #expect(bare.0.type == type)
        #expect(bare.content == "")
        let full = try decode("\(digit)héllo €")
        #expect(full.0.type == type)
        #expect(full.0.encoding == .text)
        #expect(full.content == "héllo €")
    }

    @Test(arguments: ["7", "9hello", "/", "a", "B", " 4", "\u{1E}"])
    func anythingElseIsNoType(text: String) {
        #expect(throws: EngineIOPacketError.unknownType(Array(text.utf8)[0])) { try decode(text) }
    }

    @Test func anEmptyTextIsNoPacket() {
        #expect(throws: EngineIOPacketError.empty) { try decode("") }
    }

    @Test func base64IsABinaryMessage() throws {
        let bytes = Array("bAQIDBA==".utf8)
        try bytes.withUnsafeBytes { bytes in
            let packet = try EngineIOPacket.decode(text: bytes, in: 0..<bytes.count)
            #expect(packet.type == .message)
            #expect(packet.encoding == .base64)
            #expect(try packet.binaryContent(in: bytes) == [1, 2, 3, 4])
        }
    }

    @Test(arguments: ["bAQIDBA=", "bAQ==IDBA", "b????", "bA", "bAQ*DBA=="])
    func brokenBase64IsAnError(text: String) throws {
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBytes { bytes in
            let packet = try EngineIOPacket.decode(text: bytes, in: 0..<bytes.count)
            #expect(throws: EngineIOPacketError.invalidBase64) { try packet.binaryContent(in: bytes) }
        }
    }
}

@Suite struct EngineIOPayloadTests {
    /// The packets before the first error, and the error.
    private func read(_ body: [UInt8], atMost limit: Int = 1000) -> ([String], EngineIOPacketError?) {
        var reader = EngineIOPayloadReader(maximumBytes: limit)
        var packets: [String] = []
        return body.withUnsafeBytes { bytes in
            while true {
                do throws(EngineIOPacketError) {
                    guard let packet = try reader.next(in: bytes) else { return (packets, nil) }
                    let mark = packet.encoding == .base64 ? "b" : "\(packet.type.rawValue)"
                    packets.append(mark + String(decoding: bytes[packet.content], as: UTF8.self))
                } catch {
                    let after = try? reader.next(in: bytes)
                    #expect(after == nil, "an error is the end")
                    return (packets, error)
                }
            }
        }
    }

    @Test func packetsComeInOrder() {
        let packets = ["4hello", "2", "4", "bAQIDBA==", "6", "4h€llo"]
        #expect(read(Array(packets.joined(separator: "\u{1E}").utf8)) == (packets, nil))
    }

    @Test(arguments: ["", "\u{1E}4a", "4a\u{1E}", "4a\u{1E}\u{1E}4b"])
    func anEmptyPacketIsAnError(body: String) {
        #expect(read(Array(body.utf8)).1 == .empty)
    }

    @Test func packetsBeforeAnErrorAreRead() {
        #expect(read(Array("4a\u{1E}4b\u{1E}x\u{1E}4c".utf8)) == (["4a", "4b"], .unknownType(UInt8(ascii: "x"))))
    }

    @Test func theWholeBodyIsBounded() {
        #expect(read(Array("4aaaa\u{1E}4bbb".utf8), atMost: 10) == (["4aaaa", "4bbb"], nil))
        #expect(read(Array("4aaaa\u{1E}4bbbb".utf8), atMost: 10) == ([], .tooBig))
    }

    @Test func textMustBeUTF8() {
        #expect(read([UInt8(ascii: "4"), 0xC3, 0x28]) == ([], .invalidUTF8))
        #expect(read([UInt8(ascii: "4"), 0xE2, 0x82]) == ([], .invalidUTF8))
    }

    @Test func everyTruncationGivesAPrefixOrAnError() {
        let whole = Array("4first\u{1E}bAQID\u{1E}3\u{1E}4läst".utf8)
        let packets = read(whole).0
        for length in 0..<whole.count {
            let (read, error) = read(Array(whole[..<length]))
            let complete = error == nil ? read.dropLast() : read[...]
            #expect(Array(complete) == Array(packets.prefix(complete.count)))
            #expect(error != nil || packets[read.count - 1].hasPrefix(read[read.count - 1]))
        }
    }

    @Test func mutationsNeverTrap() {
        var random = SplitMix(seed: 4)
        let seeds = ["4hello\u{1E}bAQIDBA==\u{1E}3", "2probe", "0{\"sid\":\"x\"}\u{1E}6", "4€\u{1E}\u{1E}"].map {
            Array($0.utf8)
        }
        var outcomes = Set<Bool>()
        for _ in 0..<5000 {
            let (_, error) = read(random.mutate(seeds[Int.random(in: 0..<seeds.count, using: &random)]))
            outcomes.insert(error == nil)
        }
        #expect(outcomes == [true, false])
    }
}
