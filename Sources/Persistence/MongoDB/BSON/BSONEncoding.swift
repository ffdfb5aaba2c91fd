import ChatDomain

/// The types of BSON 1.1 (bsonspec.org) that this service uses. All numbers are little-endian.
enum BSONType {
    static let double: UInt8 = 0x01
    static let string: UInt8 = 0x02
    static let document: UInt8 = 0x03
    static let array: UInt8 = 0x04
    static let binary: UInt8 = 0x05
    static let objectID: UInt8 = 0x07
    static let bool: UInt8 = 0x08
    static let date: UInt8 = 0x09
    static let null: UInt8 = 0x0A
    static let int32: UInt8 = 0x10
    static let int64: UInt8 = 0x12
}

extension BSONDocument {
    /// The document's bytes. Names must not contain NUL; those of this service do not.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    fileprivate func append(to bytes: inout [UInt8]) {
        BSONValue.sized(&bytes) { bytes in
            for field in fields { field.value.append(named: field.name, to: &bytes) }
        }
    }
}

extension BSONValue {
    fileprivate func append(named name: String, to bytes: inout [UInt8]) {
        func header(_ type: UInt8) {
            bytes.append(type)
            bytes.append(contentsOf: name.utf8)
            bytes.append(0)
        }
        switch self {
        case .double(let value):
            header(BSONType.double)
            Self.append(value.bitPattern, to: &bytes)
        case .string(let text):
            header(BSONType.string)
            Self.append(Int32(clamping: text.utf8.count + 1), to: &bytes)
            bytes.append(contentsOf: text.utf8)
            bytes.append(0)
        case .document(let document):
            header(BSONType.document)
            document.append(to: &bytes)
        case .array(let values):
            header(BSONType.array)
            Self.sized(&bytes) { bytes in
                for (index, value) in values.enumerated() { value.append(named: String(index), to: &bytes) }
            }
        case .binary(let data):
            header(BSONType.binary)
            Self.append(Int32(clamping: data.count), to: &bytes)
            bytes.append(0)
            bytes.append(contentsOf: data)
        case .objectID(let id):
            header(BSONType.objectID)
            bytes.append(contentsOf: id.bytes)
        case .bool(let value):
            header(BSONType.bool)
            bytes.append(value ? 1 : 0)
        case .date(let milliseconds):
            header(BSONType.date)
            Self.append(milliseconds, to: &bytes)
        case .int32(let value):
            header(BSONType.int32)
            Self.append(value, to: &bytes)
        case .int64(let value):
            header(BSONType.int64)
            Self.append(value, to: &bytes)
        case .null, .other: header(BSONType.null)
        }
    }

    fileprivate static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A document's frame: its total size, the bytes that `body` writes, and a zero.
    fileprivate static func sized(_ bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        append(Int32(0), to: &bytes)
        body(&bytes)
        bytes.append(0)
        let size = UInt32(clamping: bytes.count - start)
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: size >> (8 * UInt32(index))) }
    }
}
