/// The fields of a message in Protocol Buffers' wire format, as far as two small messages need it.
///
/// [Encoding](https://protobuf.dev/programming-guides/encoding/): varints and length-delimited fields are read, fixed-width
/// fields are skipped, and groups, which version 3 does not have, are refused.
struct ProtobufFields: Sequence, IteratorProtocol {
    /// The bytes are no message.
    struct Malformed: Error, Hashable {}

    enum Value: Hashable {
        case varint(UInt64)
        case bytes([UInt8])
        /// A fixed-width number, which no message here has.
        case fixed
    }

    private var rest: ArraySlice<UInt8>
    /// Whether the bytes were a message up to here.
    private(set) var isWellFormed = true

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// nil at the end of the message, and where it is malformed.
    mutating func next() -> (number: UInt64, value: Value)? {
        guard !rest.isEmpty, isWellFormed else { return nil }
        guard let field = readField() else {
            isWellFormed = false
            return nil
        }
        return field
    }

    private mutating func readField() -> (number: UInt64, value: Value)? {
        guard let tag = readVarint(), tag >> 3 > 0 else { return nil }
        switch tag & 7 {
        case 0: return readVarint().map { (tag >> 3, .varint($0)) }
        case 1: return skip(8) ? (tag >> 3, .fixed) : nil
        case 2:
            guard let length = readVarint(), length <= UInt64(rest.count) else { return nil }
            let bytes = rest.prefix(Int(length))
            rest = rest.dropFirst(bytes.count)
            return (tag >> 3, .bytes(Array(bytes)))
        case 5: return skip(4) ? (tag >> 3, .fixed) : nil
        default: return nil
        }
    }

    private mutating func skip(_ count: Int) -> Bool {
        guard rest.count >= count else { return false }
        rest = rest.dropFirst(count)
        return true
    }

    /// Ten bytes at most, of which the last holds one bit.
    private mutating func readVarint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }
}
