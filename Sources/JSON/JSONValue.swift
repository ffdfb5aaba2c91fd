/// A JSON value that owns its content. For documents off the hot path; frames are read in place through `JSONElement`.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// Members by name; of repeated names the first counts.
    case object([String: JSONValue])

    /// - Parameter maximumDepth: how deep arrays and objects may nest.
    public init(parsing bytes: some Sequence<UInt8>, maximumDepth: Int = 32) throws(JSONError) {
        let text = Array(bytes)
        let parser = JSONParser(maximumDepth: maximumDepth)
        let result = text.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in JSONValue(try parser.parse(bytes)) }
        }
        self = try result.get()
    }

    public init(_ element: JSONElement) {
        switch element.kind {
        case .null: self = .null
        case .bool: self = .bool(element.bool ?? false)
        case .integer: self = .integer(element.integer ?? 0)
        case .unsigned, .double: self = .number(element.number ?? 0)
        case .string: self = .string(element.string ?? "")
        case .array: self = .array(element.elements.map(JSONValue.init))
        case .object:
            var members: [String: JSONValue] = [:]
            element.forEachMember { name, value in
                if members[name] == nil { members[name] = JSONValue(value) }
                return true
            }
            self = .object(members)
        }
    }

    public subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    public subscript(index: Int) -> JSONValue? {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { nil }
    }

    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    public var object: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }

    /// Any number, as a double.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The integers that every JSON reader keeps exactly, as a double too: up to 2^53 − 1 on either side.
    public static let exactIntegers: ClosedRange<Int64> = -9_007_199_254_740_991...9_007_199_254_740_991

    /// An integer, however it is written: `1.0` and `1e3` are some, as Lua and JavaScript write them. nil for one that not
    /// every reader keeps exactly, and for fractions.
    public var exactInteger: Int64? {
        let value: Int64? =
            switch self {
            case .integer(let value): value
            case .number(let value): Int64(exactly: value)
            default: nil
            }
        return value.flatMap { Self.exactIntegers.contains($0) ? $0 : nil }
    }

    public var isNull: Bool { self == .null }

    /// Compact JSON text, members sorted by name.
    public var serialized: [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }
}
