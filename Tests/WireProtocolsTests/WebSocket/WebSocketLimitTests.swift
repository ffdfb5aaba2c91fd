import Testing

@testable import WireProtocols

@Suite("WebSocket limits and compression")
struct WebSocketLimitTests {
    @Test("A message may have as many bytes as the limit, and not one more")
    func announced() {
        let fits = [UInt8](repeating: 1, count: 200)
        #expect(observe(clientFrame(.binary, fits), maximumMessageBytes: 200) == [.binary(fits)])
        let header = Array(clientFrame(.binary, fits + [1]).prefix(8))
        #expect(observe(header, maximumMessageBytes: 200) == [.failure(1009)])
    }

    @Test("The limit is on the assembled message")
    func assembled() {
        let input =
            clientFrame(.binary, [UInt8](repeating: 1, count: 60), isFinal: false)
            + clientFrame(.continuation, [UInt8](repeating: 2, count: 40), isFinal: false)
        #expect(observe(input + clientFrame(.continuation), maximumMessageBytes: 100).count == 1)
        #expect(observe(input + clientFrame(.continuation, [3]), maximumMessageBytes: 100) == [.failure(1009)])
    }

    @Test("The largest length that can be announced is too big, without a byte of memory")
    func enormous() {
        let header: [UInt8] = [0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4]
        #expect(observe(header) == [.failure(1009)])
        let second = clientFrame(.binary, [1], isFinal: false) + [0x80] + header.dropFirst()
        #expect(observe(second) == [.failure(1009)])
    }

    @Test("An announced length alone takes no memory")
    func trustsOnlyWhatCame() {
        var buffer = InputBuffer()
        var decoder = WebSocketDecoder(.init(maximumMessageBytes: 1 << 30))
        buffer.append(contentsOf: [0x82, 0xFF, 0, 0, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0])
        #expect(decoder.next(&buffer) == nil)
        let piece = [UInt8](repeating: 5, count: 1000)
        for _ in 0..<50 {
            buffer.append(contentsOf: piece)
            #expect(decoder.next(&buffer) == nil)
            #expect(buffer.isEmpty)
        }
        var capacity = 0
        buffer.withFreeSpace(atLeast: 1) { space in
            capacity = space.count
            return 0
        }
        #expect(capacity < 16_384)
    }

    @Test("RSV1 marks a compressed message once deflate was agreed on; its text is not checked yet")
    func compressed() {
        let bytes: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        let whole = clientFrame(.text, bytes, isCompressed: true)
        #expect(observe(whole, acceptsCompressed: true) == [.text(bytes, isCompressed: true)])
        let fragments =
            clientFrame(.text, Array(bytes.prefix(3)), isFinal: false, isCompressed: true) + clientFrame(.ping)
            + clientFrame(.continuation, Array(bytes.dropFirst(3)))
        #expect(observe(fragments, acceptsCompressed: true) == [.ping([]), .text(bytes, isCompressed: true)])
        #expect(observe(clientFrame(.text, "plain"), acceptsCompressed: true) == [.text("plain")])
    }

    @Test("RSV1 on a continuation or a control frame breaks the protocol")
    func misplacedCompression() {
        let continuation =
            clientFrame(.text, "a", isFinal: false) + clientFrame(.continuation, [0x62], isCompressed: true)
        #expect(observe(continuation, acceptsCompressed: true) == [.failure(1002)])
        #expect(observe(clientFrame(.ping, isCompressed: true), acceptsCompressed: true) == [.failure(1002)])
        #expect(observe(clientFrame(.close, isCompressed: true), acceptsCompressed: true) == [.failure(1002)])
    }
}
