import Testing

@testable import Compression

@Suite("Compressing messages")
struct DeflaterTests {
    /// Text that compresses, with enough change in it to need every kind of block.
    static func sample(_ count: Int) -> [UInt8] {
        var state: UInt32 = 7
        return (0..<count).map { index in
            state = state &* 1_664_525 &+ 1_013_904_223
            return index % 3 == 0 ? UInt8(state >> 24) : UInt8(truncatingIfNeeded: index / 7)
        }
    }

    @Test("Compressed messages come back", arguments: [0, 1, 5, 125, 126, 16_383, 16_384, 16_385, 65_536, 1_000_000])
    func roundTrip(count: Int) {
        let deflater = Deflater()
        let inflater = Inflater()
        let message = Self.sample(count)
        for _ in 0..<3 {
            #expect(inflater.inflate(deflater.compress(message), limit: count) == .message(message))
        }
    }

    @Test("Every level and window reads back", arguments: 9...15)
    func windows(bits: Int) {
        let inflater = Inflater()
        let message = Self.sample(70_000)
        for level in 1...9 {
            let deflater = Deflater(level: level, windowBits: bits)
            #expect(inflater.inflate(deflater.compress(message), limit: 70_000) == .message(message))
        }
    }

    @Test("No message refers back to the one before")
    func independentMessages() {
        let deflater = Deflater()
        let message = Self.sample(500)
        let first = deflater.compress(message)
        #expect(deflater.compress(message) == first)
        #expect(Inflater().inflate(first, limit: 500) == .message(message))
    }

    @Test("The trailer of the flush is not sent, an empty message is one byte")
    func trailer() {
        let deflater = Deflater()
        #expect(deflater.compress([]) == [0x00])
        // RFC 7692 §7.2.3.1: "Hello" in one block.
        #expect(deflater.compress(Array("Hello".utf8)) == [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00])
    }

    @Test("Output is appended to what is there")
    func appends() {
        var output: [UInt8] = [1, 2]
        Array("Hello".utf8).withUnsafeBytes { Deflater().compress($0, into: &output) }
        #expect(output.prefix(2) == [1, 2])
        #expect(Inflater().inflate(Array(output.dropFirst(2)), limit: 5) == .message(Array("Hello".utf8)))
    }
}
