/// An image type that clients show without a program.
public enum ImageFormat: String, Hashable, Sendable, CaseIterable {
    case png = "image/png"
    case jpeg = "image/jpeg"
    case gif = "image/gif"
    case webp = "image/webp"

    /// Whether files of this media type may be shown in place. Such a file's bytes were found to be of the type.
    public static func isShown(_ contentType: String) -> Bool { Self(rawValue: contentType) != nil }
}

/// Finds an image's format and dimensions in the first bytes of a file, as they come. It decodes nothing else, holds a few
/// bytes, and takes any input.
public struct ImageHeaderReader: Sendable {
    /// What the bytes so far show.
    public enum Finding: Hashable, Sendable {
        /// More bytes are needed.
        case undecided
        /// The file is no image of a known format, or one whose dimensions are absent or too large.
        case none
        case image(ImageFormat, ImageDimensions)
    }

    private enum Phase {
        case signature
        case jpeg
        case done(Finding)
    }

    /// Bytes of the longest header that is read at once: WebP's.
    private static let signatureBytes = 30
    /// Bytes of a JPEG file before its dimensions; files that put more before them are taken for no image.
    private static let maximumJPEGPrefix = 1 << 20

    private var phase = Phase.signature
    /// Bytes that are not judged yet.
    private var buffer: [UInt8] = []
    /// Bytes of a JPEG segment that are still to be passed over.
    private var skipped = 0
    private var position = 0

    public init() {}

    /// What the bytes so far show.
    public var finding: Finding { if case .done(let finding) = phase { finding } else { .undecided } }

    /// What a file shows that has no more bytes.
    public var finalFinding: Finding { finding == .undecided ? .none : finding }

    /// Takes the next bytes of the file.
    public mutating func receive(_ bytes: [UInt8]) {
        if case .done = phase { return }
        let passed = min(skipped, bytes.count)
        skipped -= passed
        position += passed
        // A header needs few bytes at a time, except that a JPEG file's segments may lie far apart.
        buffer.append(contentsOf: bytes.dropFirst(passed))
        if case .signature = phase { readSignature() }
        if case .jpeg = phase { readSegments() }
        if case .done = phase { buffer = [] }
    }

    private mutating func readSignature() {
        if buffer.starts(with: [0xFF, 0xD8, 0xFF]) {
            phase = .jpeg
            consume(2)
            return
        }
        // The shortest complete header is GIF's.
        if buffer.starts(with: Array("GIF87a".utf8)) || buffer.starts(with: Array("GIF89a".utf8)) {
            guard buffer.count >= 10 else { return }
            return found(.gif, little16(6), little16(8))
        }
        guard buffer.count >= Self.signatureBytes else {
            if !mayBeImage { phase = .done(.none) }
            return
        }
        if buffer.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), matches("IHDR", at: 12) {
            return found(.png, big32(16), big32(20))
        }
        if matches("RIFF", at: 0), matches("WEBP", at: 8) { return readWebP() }
        phase = .done(.none)
    }

    /// Whether the first bytes, fewer than are needed, agree with a format.
    private var mayBeImage: Bool {
        let signatures: [[UInt8]] = [
            [0xFF, 0xD8, 0xFF], Array("GIF8".utf8), [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
            Array("RIFF".utf8),
        ]
        return signatures.contains { zip($0, buffer).allSatisfy(==) }
    }

    private mutating func readWebP() {
        if matches("VP8 ", at: 12), buffer[23] == 0x9D, buffer[24] == 0x01, buffer[25] == 0x2A {
            return found(.webp, little16(26) & 0x3FFF, little16(28) & 0x3FFF)
        }
        if matches("VP8L", at: 12), buffer[20] == 0x2F {
            let bits = little16(21) | little16(23) << 16
            return found(.webp, bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
        }
        if matches("VP8X", at: 12) { return found(.webp, little24(24) + 1, little24(27) + 1) }
        phase = .done(.none)
    }

    /// Passes over segments up to the frame header (ITU T.81, B.1.1 and B.2.2).
    private mutating func readSegments() {
        while case .jpeg = phase, skipped == 0 {
            guard position <= Self.maximumJPEGPrefix else { return phase = .done(.none) }
            // Fill bytes may stand before a marker.
            while buffer.count >= 2, buffer[0] == 0xFF, buffer[1] == 0xFF { consume(1) }
            guard buffer.count >= 4 else { return }
            guard buffer[0] == 0xFF, Self.hasLength(buffer[1]) else { return phase = .done(.none) }
            let length = big16(2)
            guard length >= 2 else { return phase = .done(.none) }
            if Self.isFrame(buffer[1]) {
                guard buffer.count >= 9 else { return }
                guard length >= 8 else { return phase = .done(.none) }
                return found(.jpeg, big16(7), big16(5))
            }
            skip(2 + length)
        }
    }

    private mutating func skip(_ count: Int) {
        let here = min(count, buffer.count)
        consume(here)
        skipped = count - here
    }

    private mutating func consume(_ count: Int) {
        buffer.removeFirst(count)
        position += count
    }

    private mutating func found(_ format: ImageFormat, _ width: Int, _ height: Int) {
        phase = .done(ImageDimensions(width: width, height: height).map { .image(format, $0) } ?? .none)
    }

    /// SOF0 to SOF15, without DHT, JPG and DAC, which lie between.
    private static func isFrame(_ marker: UInt8) -> Bool {
        (0xC0...0xCF).contains(marker) && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
    }

    /// Whether a segment with a length may follow the marker before a frame header.
    private static func hasLength(_ marker: UInt8) -> Bool {
        marker >= 0xC0 && !(0xD0...0xDA).contains(marker) && marker != 0xFF
    }

    private func matches(_ text: StaticString, at index: Int) -> Bool {
        text.withUTF8Buffer { buffer.dropFirst(index).starts(with: $0) }
    }

    /// A byte of the buffer; 0 behind its end, so that no input can trap.
    private func byte(_ index: Int) -> Int { buffer.indices.contains(index) ? Int(buffer[index]) : 0 }

    private func big16(_ index: Int) -> Int { byte(index) << 8 | byte(index + 1) }
    private func big32(_ index: Int) -> Int { big16(index) << 16 | big16(index + 2) }
    private func little16(_ index: Int) -> Int { byte(index) | byte(index + 1) << 8 }
    private func little24(_ index: Int) -> Int { little16(index) | byte(index + 2) << 16 }
}
