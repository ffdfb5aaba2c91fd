/// Checks that bytes which come in pieces are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
public struct UTF8Validator: Sendable {
    /// Continuation bytes the character under way still needs.
    private var missing: UInt8 = 0
    /// The values that the next continuation byte may have.
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    public init() {}

    /// Whether the bytes so far end at the end of a character.
    public var isComplete: Bool { missing == 0 }

    /// Takes the next bytes in; false when they cannot belong to valid text, whatever follows.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if missing > 0 {
                guard allowed.contains(bytes[index]) else { return false }
                missing -= 1
                allowed = 0x80...0xBF
                index += 1
            } else if bytes[index] < 0x80 {
                index = Self.endOfASCII(in: bytes, from: index)
            } else if let length = Self.characterLength(in: bytes, at: index) {
                index += length
            } else {
                guard begin(with: bytes[index]) else { return false }
                index += 1
            }
        }
        return true
    }

    /// Whether `bytes` are UTF-8 from end to end.
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var validator = UTF8Validator()
        return validator.append(bytes) && validator.isComplete
    }

    /// Whether `bytes` are UTF-8 from end to end.
    public static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { isValid($0) }
    }

    /// Starts a character of several bytes; the table is RFC 3629 section 4.
    private mutating func begin(with byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: (missing, allowed) = (1, 0x80...0xBF)
        case 0xE0: (missing, allowed) = (2, 0xA0...0xBF)
        case 0xED: (missing, allowed) = (2, 0x80...0x9F)
        case 0xE1...0xEF: (missing, allowed) = (2, 0x80...0xBF)
        case 0xF0: (missing, allowed) = (3, 0x90...0xBF)
        case 0xF1...0xF3: (missing, allowed) = (3, 0x80...0xBF)
        case 0xF4: (missing, allowed) = (3, 0x80...0x8F)
        default: return false
        }
        return true
    }

    /// The length of the well-formed character of two or three bytes at `index`: the common ones, without keeping state.
    /// Nil leaves the decision to the byte-by-byte way.
    private static func characterLength(in bytes: UnsafeRawBufferPointer, at index: Int) -> Int? {
        let lead = bytes[index]
        guard index &+ 2 < bytes.count, bytes[index &+ 1] & 0xC0 == 0x80 else { return nil }
        if lead >= 0xC2, lead <= 0xDF { return 2 }
        // 0xE0 and 0xED restrict their second byte.
        guard lead > 0xE0, lead < 0xF0, lead != 0xED, bytes[index &+ 2] & 0xC0 == 0x80 else { return nil }
        return 3
    }

    private static func endOfASCII(in bytes: UnsafeRawBufferPointer, from first: Int) -> Int {
        func word(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        let highBits: UInt64 = 0x8080_8080_8080_8080
        var index = first
        while index &+ 32 <= bytes.count {
            let all = word(index) | word(index &+ 8) | word(index &+ 16) | word(index &+ 24)
            if all & highBits != 0 { break }
            index &+= 32
        }
        while index &+ 8 <= bytes.count {
            let high = UInt64(littleEndian: word(index)) & highBits
            if high != 0 { return index &+ high.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < bytes.count, bytes[index] < 0x80 { index &+= 1 }
        return index
    }
}
