import ChatDomain

/// A BSON value. Types that this service never reads are all `other`.
enum BSONValue: Hashable, Sendable {
    case double(Double)
    case string(String)
    case document(BSONDocument)
    case array([BSONValue])
    /// Bytes of the generic subtype; other subtypes are `other`.
    case binary([UInt8])
    case objectID(MessageID)
    case bool(Bool)
    /// Milliseconds since the Unix epoch.
    case date(Int64)
    case null
    case int32(Int32)
    case int64(Int64)
    case other(type: UInt8)
}

/// Fields in their order. If a name occurs twice, the first one is found.
struct BSONDocument: Hashable, Sendable {
    struct Field: Hashable, Sendable {
        var name: String
        var value: BSONValue
    }

    var fields: [Field] = []

    subscript(name: String) -> BSONValue? {
        get { fields.first { $0.name == name }?.value }
        set {
            if let index = fields.firstIndex(where: { $0.name == name }) {
                if let newValue { fields[index].value = newValue } else { fields.remove(at: index) }
            } else if let newValue {
                fields.append(Field(name: name, value: newValue))
            }
        }
    }
}

// MARK: - Writing documents as literals

extension BSONDocument: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (String, BSONValue)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }
}

extension BSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int64) { self = Int32(exactly: value).map { .int32($0) } ?? .int64(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(dictionaryLiteral elements: (String, BSONValue)...) {
        self = .document(BSONDocument(fields: elements.map { .init(name: $0.0, value: $0.1) }))
    }
    init(arrayLiteral elements: BSONValue...) { self = .array(elements) }
    init(nilLiteral: ()) { self = .null }

    static func string(_ id: some ClientIdentifier) -> Self { .string(id.value) }
    static func date(_ time: Timestamp) -> Self { .date(time.milliseconds) }
    static func documents(_ documents: [BSONDocument]) -> Self { .array(documents.map { .document($0) }) }
    static func strings(_ ids: some Sequence<some ClientIdentifier>) -> Self { .array(ids.map { .string($0.value) }) }
}

// MARK: - Reading leniently: other programs write to these collections too

extension BSONValue {
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var document: BSONDocument? { if case .document(let document) = self { document } else { nil } }
    var array: [BSONValue]? { if case .array(let values) = self { values } else { nil } }
    var binary: [UInt8]? { if case .binary(let bytes) = self { bytes } else { nil } }
    var objectID: MessageID? { if case .objectID(let id) = self { id } else { nil } }
    var isNull: Bool { self == .null }

    var bool: Bool? {
        switch self {
        case .bool(let value): value
        default: integer.map { $0 != 0 }
        }
    }

    var integer: Int64? {
        switch self {
        case .int32(let value): Int64(value)
        case .int64(let value): value
        case .double(let value): Int64(exactly: value.rounded(.towardZero))
        default: nil
        }
    }

    /// A date, or a number of milliseconds.
    var timestamp: Timestamp? {
        if case .date(let milliseconds) = self { return Timestamp(milliseconds: milliseconds) }
        return integer.map { Timestamp(milliseconds: $0) }
    }

    /// The text of an id: the stored text, or the decimal or hexadecimal text of a number or object id that an older program stored.
    /// See `forms(of:)`.
    var identifier: String? {
        switch self {
        case .string(let text): text
        case .objectID(let id): id.description
        case .int32(let value): String(value)
        case .int64(let value): String(value)
        case .double(let value): Int64(exactly: value).map { String($0) }
        default: nil
        }
    }
}

// MARK: - Ids in all their stored forms

extension BSONValue {
    /// All values whose `identifier` is this id's text, the text first. One number represents all numeric types, because
    /// MongoDB compares them by value.
    static func forms(of id: some ClientIdentifier) -> [BSONValue] {
        var forms = [string(id)]
        if let number = Int64(id.value), String(number) == id.value { forms.append(.int64(number)) }
        if let objectID = MessageID(id.value), objectID.description == id.value { forms.append(.objectID(objectID)) }
        return forms
    }

    /// For a query: this id in any form.
    static func any(of id: some ClientIdentifier) -> Self {
        let forms = forms(of: id)
        return forms.count == 1 ? forms[0] : ["$in": .array(forms)]
    }

    /// Whether an id has several stored forms. An update of a sharded collection that may change one document only has to name
    /// one form, so updates of such rooms change all documents that match.
    static func isAmbiguous(_ id: some ClientIdentifier) -> Bool { forms(of: id).count > 1 }

    /// For a query: one of these messages.
    static func anyID(of ids: some Sequence<MessageID>) -> Self { ["$in": .array(ids.map { .objectID($0) })] }

    /// For a query: one of these ids in any form.
    static func any(of ids: some Sequence<some ClientIdentifier>) -> Self {
        ["$in": .array(ids.flatMap { forms(of: $0) })]
    }
}
