import ChatDomain
import TestSupport
import Testing

@Suite struct ImageHeaderTests {
    private static let png: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
        + [0, 0, 2, 128, 0, 0, 1, 224, 8, 6, 0, 0, 0, 1, 2, 3, 4]
    private static let gif: [UInt8] = Array("GIF89a".utf8) + [0x40, 0x01, 0xF0, 0x00, 0, 0, 0]
    /// With a long segment before the frame, and fill bytes before a marker.
    private static let jpeg: [UInt8] =
        [0xFF, 0xD8, 0xFF, 0xE1, 0x10, 0x02] + [UInt8](repeating: 0xC0, count: 4096)
        + [0xFF, 0xFF, 0xFF, 0xDB, 0, 4, 1, 2, 0xFF, 0xC2, 0, 17, 8, 0x01, 0xE0, 0x02, 0x80, 3, 1, 2, 3]
    private static func webP(_ chunk: String, _ payload: [UInt8]) -> [UInt8] {
        let head: [UInt8] = Array("RIFF1234WEBP\(chunk)".utf8)
        return head + [9, 0, 0, 0] + payload
    }
    private static let lossy = webP("VP8 ", [0, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x42, 0xE0, 0x01])
    /// 640 − 1 in 14 bits, then 480 − 1.
    private static let lossless = webP("VP8L", [0x2F, 0x7F, 0xC2, 0x77, 0x00, 0, 0, 0, 0, 0])
    private static let extended = webP("VP8X", [0, 0, 0, 0, 0x7F, 0x02, 0, 0xDF, 0x01, 0])

    private static func find(_ bytes: [UInt8], cutAt cut: Int = .max) -> ImageHeaderReader.Finding {
        var reader = ImageHeaderReader()
        reader.receive(Array(bytes.prefix(cut)))
        reader.receive(Array(bytes.dropFirst(cut)))
        return reader.finalFinding
    }

    private static let samples: [([UInt8], ImageFormat, Int, Int)] = [
        (png, .png, 640, 480), (gif, .gif, 320, 240), (jpeg, .jpeg, 640, 480), (lossy, .webp, 640, 480),
        (lossless, .webp, 640, 480), (extended, .webp, 640, 480),
    ]

    @Test(arguments: samples)
    func dimensionsAreFoundHoweverTheBytesAreCut(_ bytes: [UInt8], _ format: ImageFormat, _ width: Int, _ height: Int) {
        let expected = ImageDimensions(width: width, height: height).map { ImageHeaderReader.Finding.image(format, $0) }
        #expect(Self.find(bytes) == expected)
        for cut in 1..<bytes.count where Self.find(bytes, cutAt: cut) != expected {
            Issue.record("\(format) cut at \(cut)")
        }
        var reader = ImageHeaderReader()
        for byte in bytes { reader.receive([byte]) }
        #expect(reader.finding == expected)
    }

    @Test func whatIsNoImageIsNotTakenForOne() {
        let others: [[UInt8]] = [
            [], [0xFF], Array("<svg width='10' height='10'><script/></svg>".utf8), Array("GIF8".utf8),
            Array(Self.png.dropLast(20)),
            Array("RIFFxxxxWEBPVP8Zaaaaaaaaaaaaaaaaaaaaaaaaa".utf8), [0xFF, 0xD8, 0xFF, 0xDA, 0, 8] + Self.jpeg,
            [0xFF, 0xD8, 0xFF, 0xE1, 0, 1, 0xFF, 0xC0, 0, 17, 8, 1, 1, 1, 1],
            [0xFF, 0xD8, 0xFF, 0xC0, 0, 7, 8, 1, 1, 1, 1],
        ]
        for bytes in others { #expect(Self.find(Array(bytes)) == .none, "\(bytes.prefix(12))") }
    }

    @Test func anImageTooLargeToShowIsNone() {
        var bomb = Self.png
        bomb.replaceSubrange(16..<24, with: [0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0])
        #expect(Self.find(bomb) == .none, "100,000 × 100,000 pixels")
        bomb.replaceSubrange(16..<24, with: [UInt8](repeating: 0xFF, count: 8))
        #expect(Self.find(bomb) == .none)
        bomb.replaceSubrange(16..<24, with: [UInt8](repeating: 0, count: 8))
        #expect(Self.find(bomb) == .none)
        #expect(ImageDimensions(width: .max, height: .max) == nil)
    }

    @Test func segmentsWithoutAnEndAreGivenUp() {
        var reader = ImageHeaderReader()
        reader.receive([0xFF, 0xD8])
        for _ in 0..<40 where reader.finding == .undecided {
            reader.receive([0xFF, 0xE1, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 65_533))
        }
        #expect(reader.finding == .none)
    }

    @Test func noInputStopsTheProcess() {
        var random = SplitMix(seed: 7)
        for sample in [Self.png, Self.gif, Self.jpeg, Self.lossy, Self.lossless, Self.extended] {
            for _ in 0..<300 {
                var bytes = Array(sample.prefix(Int.random(in: 0...sample.count, using: &random)))
                for _ in 0..<3 where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = Self.find(bytes, cutAt: Int.random(in: 0...bytes.count, using: &random))
            }
        }
    }
}
