/// Base64 with the standard alphabet and padding (RFC 4648 §4).
public enum Base64 {
    private static let coding = Base64Coding(lastDigits: "+/", isPadded: true)

    public static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] { coding.encode(bytes) }

    /// The bytes of `text`; nil for anything but whole, padded groups whose unused bits are zero, so that no two texts stand
    /// for the same bytes (RFC 4648 §3.5).
    public static func decode(_ text: some BidirectionalCollection<UInt8>) -> [UInt8]? { coding.decode(text) }
}

/// Base64 with the alphabet of JSON Web Signatures (RFC 4648 §5, RFC 7515 §2), without padding.
public enum Base64URL {
    private static let coding = Base64Coding(lastDigits: "-_", isPadded: false)

    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: coding.encode(bytes), as: UTF8.self)
    }

    /// The bytes of `text`; nil for anything but the one way to write them: no padding, no white space, no stray bits at the end.
    public static func decode(_ text: some BidirectionalCollection<UInt8>) -> [UInt8]? { coding.decode(text) }
}

/// Six bits a digit, most significant bits first.
private struct Base64Coding: Sendable {
    private static let padding = UInt8(ascii: "=")
    private static let noDigit: UInt8 = 0xFF

    private let digits: [UInt8]
    private let values: [UInt8]
    private let isPadded: Bool

    /// - Parameter lastDigits: the digits for 62 and 63.
    init(lastDigits: String, isPadded: Bool) {
        digits = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + lastDigits).utf8)
        var values = [UInt8](repeating: Self.noDigit, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(truncatingIfNeeded: value) }
        self.values = values
        self.isPadded = isPadded
    }

    func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(digits[Int(pending >> bits)])
                pending &= 1 << bits - 1
            }
        }
        if bits > 0 { text.append(digits[Int(pending << (6 - bits))]) }
        while isPadded, text.count % 4 != 0 { text.append(Self.padding) }
        return text
    }

    func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        if let bytes = text.withContiguousStorageIfAvailable({ decode($0) }) { return bytes }
        return Array(text).withUnsafeBufferPointer { decode($0) }
    }

    /// Over memory, because the compiler does not specialise the walk over every kind of collection.
    private func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard !isPadded || text.count % 4 == 0 else { return nil }
        let pads = isPadded ? text.suffix(2).reversed().prefix { $0 == Self.padding }.count : 0
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for digit in text[..<(text.count - pads)] {
            let value = values[Int(digit)]
            guard value != Self.noDigit else { return nil }
            pending = pending << 6 | UInt32(value)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> bits))
            pending &= 1 << bits - 1
        }
        return bits < 6 && pending == 0 ? bytes : nil
    }
}
