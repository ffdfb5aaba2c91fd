import ChatDomain

extension BSONDocument {
    private static let maximumDepth = 100

    /// Nil if the bytes are no BSON document.
    init?(encoded bytes: UnsafeRawBufferPointer) {
        var reader = BSONReader(bytes)
        guard let document = reader.document(depth: 0) else { return nil }
        self = document
    }

    fileprivate static func isTooDeep(_ depth: Int) -> Bool { depth > maximumDepth }
}

/// Reads BSON from front to back. Every step returns nil if the bytes do not contain what they announce.
private struct BSONReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func document(depth: Int) -> BSONDocument? {
        guard !BSONDocument.isTooDeep(depth), let size = integer(Int32.self), size >= 5 else { return nil }
        let end = position - 4 + Int(size)
        guard end <= bytes.count else { return nil }
        var document = BSONDocument()
        while position < end - 1 {
            guard let type = integer(UInt8.self), let name = cString(), let value = value(type, depth: depth) else {
                return nil
            }
            document.fields.append(.init(name: name, value: value))
        }
        guard position == end - 1, integer(UInt8.self) == 0 else { return nil }
        return document
    }

    private mutating func value(_ type: UInt8, depth: Int) -> BSONValue? {
        switch type {
        case BSONType.double: integer(UInt64.self).map { .double(Double(bitPattern: $0)) }
        case BSONType.string: string().map { .string($0) }
        case BSONType.document: document(depth: depth + 1).map { .document($0) }
        case BSONType.array: document(depth: depth + 1).map { .array($0.fields.map(\.value)) }
        case BSONType.binary: binary()
        case BSONType.objectID: take(12).flatMap { MessageID(bytes: $0) }.map { .objectID($0) }
        case BSONType.bool: integer(UInt8.self).map { .bool($0 != 0) }
        case BSONType.date: integer(Int64.self).map { .date($0) }
        case BSONType.null: .null
        case BSONType.int32: integer(Int32.self).map { .int32($0) }
        case BSONType.int64: integer(Int64.self).map { .int64($0) }
        default: skip(type) ? .other(type: type) : nil
        }
    }

    /// Skips a value of a type that is not read.
    private mutating func skip(_ type: UInt8) -> Bool {
        switch type {
        case 0x06, 0x7F, 0xFF: return true  // undefined, largest and smallest key
        case 0x0B: return cString() != nil && cString() != nil  // regular expression, options
        case 0x0C: return string() != nil && take(12) != nil  // database pointer
        case 0x0D, 0x0E: return string() != nil  // code, symbol
        case 0x0F:  // code with scope: size of all that follows and itself
            guard let size = integer(Int32.self), size >= 4 else { return false }
            return take(Int(size) - 4) != nil
        case 0x11: return take(8) != nil  // timestamp
        case 0x13: return take(16) != nil  // 128-bit decimal
        default: return false
        }
    }

    private mutating func binary() -> BSONValue? {
        guard let size = integer(Int32.self), size >= 0, let subtype = integer(UInt8.self), let data = take(Int(size))
        else { return nil }
        return subtype == 0 ? .binary(Array(data)) : .other(type: BSONType.binary)
    }

    private mutating func integer<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
        guard let taken = take(MemoryLayout<Value>.size) else { return nil }
        return Value(littleEndian: UnsafeRawBufferPointer(rebasing: taken).loadUnaligned(as: Value.self))
    }

    private mutating func string() -> String? {
        guard let size = integer(Int32.self), size >= 1, let text = take(Int(size)), text.last == 0 else { return nil }
        return String(decoding: text.dropLast(), as: UTF8.self)
    }

    private mutating func cString() -> String? {
        guard let end = bytes[position...].firstIndex(of: 0) else { return nil }
        defer { position = end + 1 }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    private mutating func take(_ count: Int) -> Slice<UnsafeRawBufferPointer>? {
        guard count >= 0, bytes.count - position >= count else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }
}
