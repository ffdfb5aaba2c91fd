import Testing

@testable import Compression

@Suite("Restoring messages")
struct InflaterTests {
    static let hello = Array("Hello".utf8)

    /// The payloads of RFC 7692 §7.2.3: one block, no compression, a final block, and two blocks.
    @Test(
        "The examples of the standard",
        arguments: [
            [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] as [[UInt8]])
    func standardExamples(payload: [UInt8]) {
        #expect(Inflater().inflate(payload, limit: 5) == .message(Self.hello))
        #expect(Inflater(takesContextOver: true).inflate(payload, limit: 5) == .message(Self.hello))
    }

    @Test("With context takeover a message refers to the one before, without it that is refused")
    func contextTakeover() {
        // RFC 7692 §7.2.3.2: the same message twice in one window.
        let first: [UInt8] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
        let second: [UInt8] = [0xf2, 0x00, 0x11, 0x00, 0x00]
        let keeping = Inflater(takesContextOver: true)
        #expect(keeping.inflate(first, limit: 5) == .message(Self.hello))
        #expect(keeping.inflate(second, limit: 5) == .message(Self.hello))
        let forgetting = Inflater()
        #expect(forgetting.inflate(first, limit: 5) == .message(Self.hello))
        #expect(forgetting.inflate(second, limit: 5) == .corrupt)
        #expect(forgetting.inflate(first, limit: 5) == .message(Self.hello))
    }

    @Test("A final block does not forget the window")
    func contextOverFinalBlock() {
        let inflater = Inflater(takesContextOver: true)
        #expect(inflater.inflate([0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], limit: 5) == .message(Self.hello))
        #expect(inflater.inflate([0xf2, 0x00, 0x11, 0x00, 0x00], limit: 5) == .message(Self.hello))
    }

    @Test("The limit is exact")
    func exactLimit() {
        let payload = Deflater().compress(DeflaterTests.sample(50_000))
        #expect(Inflater().inflate(payload, limit: 50_000) == .message(DeflaterTests.sample(50_000)))
        #expect(Inflater().inflate(payload, limit: 49_999) == .tooBig)
        #expect(Inflater().inflate(Deflater().compress([1]), limit: 0) == .tooBig)
        #expect(Inflater().inflate(Deflater().compress([]), limit: 0) == .message([]))
    }

    @Test("A bomb is refused at the limit, and the inflater continues")
    func bomb() {
        let bomb = Deflater(level: 9).compress([UInt8](repeating: 0, count: 10_000_000))
        #expect(bomb.count < 20_000)
        let inflater = Inflater()
        #expect(inflater.inflate(bomb, limit: 128 * 1024) == .tooBig)
        #expect(inflater.inflate(Deflater().compress(Self.hello), limit: 5) == .message(Self.hello))
    }

    @Test("A message cut short inside a block is refused", arguments: 2..<6)
    func truncation(length: Int) {
        let payload: [UInt8] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
        #expect(Inflater().inflate(Array(payload.prefix(length)), limit: 4000) == .corrupt)
    }

    @Test("A message cut short is never taken for the whole one")
    func truncationOfStoredBlocks() {
        let message = DeflaterTests.sample(2000)
        let payload = Deflater().compress(message)
        // The trailer can complete a stored block that lacks its last bytes: not every cut shows.
        let refused = (1..<payload.count).filter { length in
            let outcome = Inflater().inflate(Array(payload.prefix(length)), limit: 4000)
            #expect(outcome != .message(message))
            return outcome == .corrupt
        }
        #expect(refused.count > payload.count - 8)
    }

    @Test("Noise never traps and never passes the limit")
    func noise() {
        let inflater = Inflater()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let payload = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if case .message(let message) = inflater.inflate(payload, limit: 100) {
                #expect(message.count <= 100)
            }
        }
    }

    @Test("A reserved block type is refused")
    func reservedBlock() {
        #expect(Inflater().inflate([0x06], limit: 10) == .corrupt)
    }
}
