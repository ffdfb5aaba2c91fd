/// A reply of Redis (RESP2).
public enum RedisValue: Hashable, Sendable {
    /// A bulk string, or a status such as `OK`. Bytes, which need not be text.
    case string([UInt8])
    case integer(Int64)
    case array([RedisValue])
    case null
    /// An error inside an array; one that is the whole answer is thrown.
    case error(code: String, message: String)

    public var bytes: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }
    /// The string, when it is valid UTF-8.
    public var text: String? { bytes.flatMap { String(validating: $0, as: UTF8.self) } }
    public var array: [RedisValue]? { if case .array(let items) = self { items } else { nil } }
    public var isNull: Bool { self == .null }

    /// The value of an integer, or of a string that is one.
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .string: text.flatMap { Int64($0) }
        default: nil
        }
    }
}
