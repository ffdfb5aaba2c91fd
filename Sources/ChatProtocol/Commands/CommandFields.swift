import ChatDomain
import JSON

/// Reads a command's fields from a client's JSON, refusing what the contract does not take.
package struct CommandFields {
    /// The object that holds the fields; nil when the client sent none.
    package let data: JSONElement?
    package let limits: CommandLimits

    /// - Throws: `bad_request` when `data` is there and no object.
    package init(_ data: JSONElement?, limits: CommandLimits) throws(ChatError) {
        guard data.map({ $0.kind == .object || $0.isNull }) ?? true else { throw .badRequest("data must be an object") }
        self.data = data?.isNull == true ? nil : data
        self.limits = limits
    }

    package subscript(name: StaticString) -> JSONElement? {
        guard let value = data?[name], !value.isNull else { return nil }
        return value
    }

    package func required(_ name: StaticString) throws(ChatError) -> JSONElement {
        guard let value = self[name] else { throw .badRequest("\(name) is missing") }
        return value
    }

    /// An id given as text or as an integer, which means its decimal text.
    package func identifier<ID: ClientIdentifier>(_ name: StaticString, as type: ID.Type = ID.self) throws(ChatError)
        -> ID
    {
        try Self.identifier(required(name), field: "\(name)")
    }

    package func optionalIdentifier<ID: ClientIdentifier>(_ name: StaticString, as type: ID.Type = ID.self)
        throws(ChatError)
        -> ID?
    {
        guard let value = self[name] else { return nil }
        return try Self.identifier(value, field: "\(name)")
    }

    package static func identifier<ID: ClientIdentifier>(_ value: JSONElement, field: String) throws(ChatError) -> ID {
        if let text = value.string { return try ID(validating: text, field: field) }
        if let text = decimalText(value) { return ID(unchecked: text) }
        throw .badRequest("\(field) must be a string or an integer")
    }

    /// The id that an integer stands for; nil for everything else.
    private static func decimalText(_ value: JSONElement) -> String? {
        value.integer.map { String($0) } ?? value.unsigned.map { String($0) }
    }

    /// An id that the client makes, of at most 128 characters; an integer means its decimal text, as for other ids.
    package func optionalIDText(_ name: StaticString) throws(ChatError) -> String? {
        if let text = self[name].flatMap(Self.decimalText) { return text }
        return try optionalText(name, maximumCharacters: 128)
    }

    /// A short text, as names are.
    package func optionalText(_ name: StaticString, maximumCharacters: Int) throws(ChatError) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.string else { throw .badRequest("\(name) must be a string") }
        try ShortText.check(text, field: "\(name)", maximumCharacters: maximumCharacters)
        return text
    }

    package func optionalText(_ name: StaticString, maximumBytes: Int) throws(ChatError) -> String? {
        self[name] == nil ? nil : try text(name, maximumBytes: maximumBytes)
    }

    package func text(_ name: StaticString, maximumBytes: Int) throws(ChatError) -> String {
        guard let text = try required(name).string else { throw .badRequest("\(name) must be a string") }
        guard text.utf8.count <= maximumBytes else {
            throw .badRequest("\(name) must be at most \(maximumBytes) bytes")
        }
        guard !text.utf8.contains(0) else { throw .badRequest("\(name) must not contain NUL") }
        return text
    }

    package func bool(_ name: StaticString) throws(ChatError) -> Bool {
        guard let value = try required(name).bool else { throw .badRequest("\(name) must be true or false") }
        return value
    }

    /// False where the field is missing.
    package func optionalBool(_ name: StaticString) throws(ChatError) -> Bool {
        self[name] == nil ? false : try bool(name)
    }

    package func optionalInteger(_ name: StaticString, in range: ClosedRange<Int64>) throws(ChatError) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw .badRequest("\(name) must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package func integer(_ name: StaticString, in range: ClosedRange<Int64>) throws(ChatError) -> Int64 {
        _ = try required(name)
        return try optionalInteger(name, in: range) ?? range.lowerBound
    }

    /// An object, kept as compact JSON text.
    package func optionalObject(_ name: StaticString, maximumBytes: Int) throws(ChatError) -> String? {
        guard let value = self[name] else { return nil }
        guard value.kind == .object else { throw .badRequest("\(name) must be an object") }
        let text = value.serialized
        guard text.count <= maximumBytes else { throw .badRequest("\(name) must be at most \(maximumBytes) bytes") }
        guard !Self.escapesNUL(text) else { throw .badRequest("\(name) must not contain NUL") }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether JSON text holds a NUL, which it can only as `\u0000`; not as what follows an escaped backslash.
    private static func escapesNUL(_ text: [UInt8]) -> Bool {
        let escape = Array("u0000".utf8)
        var rest = text[...]
        while let mark = rest.firstIndex(of: UInt8(ascii: "\\")) {
            if rest[(mark + 1)...].starts(with: escape) { return true }
            rest = rest.dropFirst(mark + 2 - rest.startIndex)
        }
        return false
    }

    /// The id of a message.
    package func messageID(_ name: StaticString) throws(ChatError) -> MessageID {
        guard let id = try required(name).string.flatMap({ MessageID($0) }) else {
            throw .badRequest("\(name) must be a message's id, 24 hex digits")
        }
        return id
    }

    /// Up to `limit` ids, repeats dropped; none where the field is missing or empty.
    package func optionalIdentifiers<ID: ClientIdentifier>(
        _ name: StaticString, limit: Int
    ) throws(ChatError) -> [ID] {
        guard let list = self[name], list.kind != .array || !list.elements.isEmpty else { return [] }
        return try identifiers(name, limit: limit)
    }

    /// 1 to `limit` ids, repeats dropped.
    package func identifiers<ID: ClientIdentifier>(_ name: StaticString, limit: Int) throws(ChatError) -> [ID] {
        let list = try required(name)
        guard list.kind == .array else { throw .badRequest("\(name) must be an array of ids") }
        let items = list.elements
        guard 1...limit ~= items.count else { throw .badRequest("\(name) must hold 1 to \(limit) ids") }
        var seen: Set<ID> = []
        var ids: [ID] = []
        for item in items {
            let id: ID = try Self.identifier(item, field: "\(name)")
            if seen.insert(id).inserted { ids.append(id) }
        }
        return ids
    }
}

/// The sizes commands are held to.
public struct CommandLimits: Sendable {
    /// Longest message text, and longest metadata, in bytes of UTF-8.
    public var maximumMessageBytes = 16_384
    /// Users one direct message may name.
    public var maximumRecipients = 1000

    public init() {}
}
