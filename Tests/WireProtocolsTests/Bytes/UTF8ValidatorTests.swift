import Testing

@testable import WireProtocols

@Suite("UTF-8 validator")
struct UTF8ValidatorTests {
    /// Whether `bytes` are valid, checked whole and in two pieces at every cut, behind runs of ASCII.
    private func isValid(_ bytes: [UInt8]) -> Bool {
        let whole = UTF8Validator.isValid(bytes)
        for cut in 0...bytes.count {
            var validator = UTF8Validator()
            let accepted = [bytes[..<cut], bytes[cut...]].allSatisfy { part in
                Array(part).withUnsafeBytes { validator.append($0) }
            }
            #expect((accepted && validator.isComplete) == whole)
        }
        for run in [1, 7, 8, 9, 16] {
            let ascii = [UInt8](repeating: 0x61, count: run)
            #expect(UTF8Validator.isValid(ascii + bytes + ascii) == whole)
        }
        return whole
    }

    @Test(
        "Valid text",
        arguments: ["", "plain", "\0", "\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}", "日本👩‍👩‍👧"])
    func valid(text: String) {
        #expect(isValid(Array(text.utf8)))
    }

    @Test(
        "Invalid bytes",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x9F, 0xBF], [0xE0, 0xA0],
            [0xE1, 0x80, 0xC0], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xEF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x90, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func invalid(bytes: [UInt8]) {
        #expect(!isValid(bytes))
    }

    @Test("Agrees with the standard library about every pair and many quadruples of bytes")
    func agreement() {
        for first in 0...255 {
            for second in 0...255 {
                let pair = [UInt8(first), UInt8(second)]
                #expect(UTF8Validator.isValid(pair) == (String(validating: pair, as: UTF8.self) != nil))
            }
        }
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let lead = UInt8(truncatingIfNeeded: state >> 56) | 0xC0
            let rest = (0..<3).map { UInt8(truncatingIfNeeded: state >> (32 + 8 * UInt64($0))) & 0x3F | 0x80 }
            let bytes = [lead] + rest
            #expect(UTF8Validator.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil))
        }
    }
}
