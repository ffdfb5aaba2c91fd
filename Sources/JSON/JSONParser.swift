internal import CSimdJSON

/// Why a text is not taken as JSON.
public enum JSONError: Error, Hashable, Sendable {
    case malformed
    case invalidUTF8
    case tooDeep
    case tooBig
}

/// Parses JSON (RFC 8259) and validates its UTF-8. Reuses its memory from call to call: keep one per event loop or task.
///
/// Not thread safe. An element is valid until its parser parses again; to keep a value, copy it out (`JSONValue(element)`).
public final class JSONParser {
    /// Bytes behind the text that may be read when it is passed as padded.
    public static let padding = csj_padding()

    private let parser: OpaquePointer
    fileprivate var generation: UInt64 = 0

    /// - Parameter maximumDepth: how deep arrays and objects may nest.
    public init(maximumDepth: Int = 32) {
        guard let parser = csj_parser_create(maximumDepth) else { fatalError("out of memory") }
        self.parser = parser
    }

    deinit { csj_parser_destroy(parser) }

    /// - Parameter padded: `JSONParser.padding` more bytes may be read behind `bytes`; saves a copy.
    public func parse(_ bytes: UnsafeRawBufferPointer, padded: Bool = false) throws(JSONError) -> JSONElement {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { throw .malformed }
        generation &+= 1
        var root = csj_element()
        switch csj_parse(parser, base.assumingMemoryBound(to: UInt8.self), bytes.count, padded, &root) {
        case CSJ_OK: return JSONElement(handle: root, parser: self)
        case CSJ_TOO_DEEP: throw .tooDeep
        case CSJ_BAD_UTF8: throw .invalidUTF8
        case CSJ_TOO_BIG: throw .tooBig
        default: throw .malformed
        }
    }

    /// Parses text of a client or another program: as `parse`, but text that is JSON by its grammar only is mended first, half a
    /// surrogate pair as U+FFFD, a number outside 64 bits as the nearest double. Costs more only where `parse` refuses.
    public func parseMending(_ bytes: UnsafeRawBufferPointer, padded: Bool = false) throws(JSONError) -> JSONElement {
        do throws(JSONError) { return try parse(bytes, padded: padded) } catch {
            guard error == .malformed, let mended = JSONMending.mend(bytes) else { throw error }
            // The parser copies the text.
            return try mended.withUnsafeBufferPointer { (text) throws(JSONError) in
                try parse(UnsafeRawBufferPointer(text))
            }
        }
    }
}

/// One value of a parsed document, looked at in place. Touching it after its parser parsed again traps.
public struct JSONElement {
    private let handle: csj_element
    private let parser: JSONParser
    private let generation: UInt64

    fileprivate init(handle: csj_element, parser: JSONParser) {
        self.handle = handle
        self.parser = parser
        generation = parser.generation
    }

    private var live: csj_element {
        precondition(generation == parser.generation, "JSON element used after its parser parsed again")
        return handle
    }

    private func sibling(_ handle: csj_element) -> JSONElement { JSONElement(handle: handle, parser: parser) }

    public enum Kind: Sendable { case null, bool, integer, unsigned, double, string, array, object }

    public var kind: Kind {
        switch csj_kind_of(live) {
        case CSJ_BOOL: .bool
        case CSJ_INTEGER: .integer
        case CSJ_UNSIGNED: .unsigned
        case CSJ_DOUBLE: .double
        case CSJ_STRING: .string
        case CSJ_ARRAY: .array
        case CSJ_OBJECT: .object
        default: .null
        }
    }

    public var isNull: Bool { kind == .null }
    public var bool: Bool? { kind == .bool ? csj_bool(live) : nil }
    /// The value of an integer literal within Int64; `1.0` is none.
    public var integer: Int64? { kind == .integer ? csj_integer(live) : nil }
    /// The value of an integer literal above Int64.max.
    public var unsigned: UInt64? { kind == .unsigned ? csj_unsigned(live) : nil }

    /// Any number, as a double.
    public var number: Double? {
        switch kind {
        case .integer: Double(csj_integer(live))
        case .unsigned: Double(csj_unsigned(live))
        case .double: csj_double(live)
        default: nil
        }
    }

    public var string: String? { withString { String(decoding: $0, as: UTF8.self) } }

    /// The unescaped text of a string, without a copy; nil for anything else.
    public func withString<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R? {
        guard kind == .string else { return nil }
        var length = 0
        let text = csj_string(live, &length)
        return body(UnsafeRawBufferPointer(start: text, count: length))
    }

    /// Whether this is a string equal to `text`, without making one.
    public func equals(_ text: StaticString) -> Bool {
        withString { bytes in
            bytes.count == text.utf8CodeUnitCount
                && bytes.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: bytes.count))
        } ?? false
    }

    /// The first member of that name; nil when there is none or this is no object.
    public subscript(key: StaticString) -> JSONElement? {
        var found = csj_element()
        let name = UnsafeRawPointer(key.utf8Start).assumingMemoryBound(to: CChar.self)
        return csj_member(live, name, key.utf8CodeUnitCount, &found) ? sibling(found) : nil
    }

    /// Visits an array's elements in order until `visit` returns false; nothing for other kinds.
    public func forEachElement(_ visit: (JSONElement) -> Bool) {
        guard kind == .array else { return }
        var walk = csj_walk_array(live)
        var element = csj_element()
        while csj_next_element(&walk, &element), visit(sibling(element)) {}
    }

    /// Visits an object's members in order until `visit` returns false; nothing for other kinds.
    public func forEachMember(_ visit: (String, JSONElement) -> Bool) {
        guard kind == .object else { return }
        var walk = csj_walk_object(live)
        var key: UnsafePointer<CChar>?
        var length = 0
        var element = csj_element()
        while csj_next_member(&walk, &key, &length, &element) {
            let name = String(decoding: UnsafeRawBufferPointer(start: key, count: length), as: UTF8.self)
            guard visit(name, sibling(element)) else { return }
        }
    }

    /// An array's elements; empty for other kinds.
    public var elements: [JSONElement] {
        var out: [JSONElement] = []
        forEachElement {
            out.append($0)
            return true
        }
        return out
    }

    /// This value as compact JSON text.
    public var serialized: [UInt8] {
        var out: [UInt8] = []
        withUnsafeMutablePointer(to: &out) { target in
            csj_serialize(live, target) { context, text, length in
                context?.assumingMemoryBound(to: [UInt8].self).pointee
                    .append(contentsOf: UnsafeRawBufferPointer(start: text, count: length))
            }
        }
        return out
    }
}
