import Testing

@testable import WireProtocols

@Suite("WebSocket encoder")
struct WebSocketEncoderTests {
    @Test("Frames to the byte")
    func frames() {
        var output: [UInt8] = []
        WebSocketEncoder.append(.text, payload: Array("Hello".utf8), to: &output)
        #expect(output == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        output = []
        WebSocketEncoder.append(
            .text, payload: Array("Hello".utf8), mask: WebSocketMask(key: 0x3D21_FA37), to: &output)
        #expect(output == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
        output = []
        WebSocketEncoder.append(.binary, payload: [1], isFinal: false, isCompressed: true, to: &output)
        #expect(output == [0x42, 0x01, 0x01])
    }

    @Test(
        "Headers take the shortest form, as long as announced",
        arguments: [(0, [0]), (125, [125]), (126, [126, 0, 126]), (65_535, [126, 255, 255])] as [(Int, [UInt8])])
    func lengths(length: Int, field: [UInt8]) {
        var header: [UInt8] = []
        WebSocketEncoder.appendHeader(.binary, payloadBytes: length, to: &header)
        #expect(header == [0x82] + field)
        #expect(header.count == WebSocketEncoder.headerLength(payloadBytes: length))
        #expect(header.count + 4 == WebSocketEncoder.headerLength(payloadBytes: length, isMasked: true))
    }

    @Test("A header for more than 64 KiB")
    func longHeader() {
        var header: [UInt8] = []
        WebSocketEncoder.appendHeader(.text, payloadBytes: 65_536, mask: WebSocketMask(key: 0x0403_0201), to: &header)
        #expect(header == [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4])
        #expect(header.count == WebSocketEncoder.headerLength(payloadBytes: 65_536, isMasked: true))
    }

    @Test("A close frame carries its code and a reason cut between characters")
    func close() {
        var output: [UInt8] = []
        WebSocketEncoder.appendClose(code: 1000, reason: "ok", to: &output)
        #expect(output == [0x88, 0x04, 0x03, 0xE8, 0x6F, 0x6B])
        output = []
        WebSocketEncoder.appendClose(code: 4008, reason: "a" + String(repeating: "ü", count: 100), to: &output)
        #expect(observe(output, role: .client) == [.close(4008, "a" + String(repeating: "ü", count: 61))])
        output = []
        WebSocketEncoder.appendClose(code: 4008, reason: String(repeating: "ü", count: 100), to: &output)
        #expect(observe(output, role: .client) == [.close(4008, String(repeating: "ü", count: 61))])
    }

    @Test("A code that may not travel is left out", arguments: [nil, 1005, 1006, 0] as [UInt16?])
    func closeWithoutCode(code: UInt16?) {
        var output: [UInt8] = []
        WebSocketEncoder.appendClose(code: code, reason: "lost", to: &output)
        #expect(output == [0x88, 0x00])
    }

    @Test("Masking byte by byte and in words is the same, from any offset", arguments: 0..<20)
    func mask(length: Int) {
        let mask = WebSocketMask(key: 0xC3B2_A190)
        let key: [UInt8] = [0x90, 0xA1, 0xB2, 0xC3]
        for offset in 0..<6 {
            var bytes = (0..<length).map { UInt8($0) }
            bytes.withUnsafeMutableBytes { mask.advanced(by: offset).apply(to: $0) }
            #expect(bytes == (0..<length).map { UInt8($0) ^ key[($0 + offset) % 4] })
        }
    }
}
