/// An id of 128 random bits, which cannot be guessed: small in memory, 32 lower-case hex digits as text.
public struct RandomID: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static func make() -> Self { Self(high: SecureRandom.uint64(), low: SecureRandom.uint64()) }

    /// The first 128 bits of a text's SHA-256 digest: it distinguishes texts and does not reveal them.
    public init(digestOf text: String) {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        let digest = Digest.sha256(text.utf8)
        self.init(high: number(digest[..<8]), low: number(digest[8..<16]))
    }

    /// nil for any text that `text` does not produce.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32 else { return nil }
        let middle = text.utf8.index(text.startIndex, offsetBy: 16)
        guard let high = UInt64(text[..<middle], radix: 16), let low = UInt64(text[middle...], radix: 16) else {
            return nil
        }
        self.init(high: high, low: low)
        guard self.text == text else { return nil }
    }

    public var text: String { Self.digits(high) + Self.digits(low) }

    private static func digits(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
