import JSON

/// A JSON Schema (draft 2020-12) with an example, as far as the published documents need it.
package struct Schema: Sendable {
    indirect enum Form: Sendable {
        case anything
        case boolean
        case choice([String])
        case integer(ClosedRange<Int64>?)
        case list(Schema, atMost: Int?)
        case named(String)
        case nullable(Schema)
        case object([Member])
        case oneOf([Schema])
        case text(Text)
    }

    struct Text: Hashable, Sendable {
        /// In Unicode scalars; nil for no bound.
        var length: ClosedRange<Int>?
        var format: String?
        var pattern: String?
        /// Whether an integer is taken too, and means its decimal text.
        var isIntegerTaken = false
    }

    /// A member of an object. Objects may hold members that are not declared: readers have to ignore those.
    package struct Member: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool

        package static func required(_ name: String, _ schema: Schema) -> Self {
            Self(name: name, schema: schema, isRequired: true)
        }
        package static func optional(_ name: String, _ schema: Schema) -> Self {
            Self(name: name, schema: schema, isRequired: false)
        }
    }

    let form: Form
    /// A value that the schema allows; for named schemas that of the component.
    package let example: JSONValue
    private(set) var note: String?

    private init(_ form: Form, example: JSONValue) {
        self.form = form
        self.example = example
    }

    /// The members of an object; nil for anything else.
    var members: [Member]? { if case .object(let members) = form { members } else { nil } }

    /// The same with a sentence for the reader.
    package func noted(_ note: String) -> Self {
        var noted = self
        noted.note = note
        return noted
    }
}

// MARK: Making schemas

extension Schema {
    /// Any JSON value.
    package static let anything = Self(.anything, example: .object([:]))
    package static let boolean = Self(.boolean, example: .bool(true))
    /// `success`, which is true wherever an answer is no refusal.
    package static let success = Self.boolean

    package static func choice(_ values: [String]) -> Self {
        Self(.choice(values), example: .string(values.first ?? ""))
    }

    package static func integer(_ example: Int64, in range: ClosedRange<Int64>? = nil) -> Self {
        Self(.integer(range), example: .integer(example))
    }

    /// A number that is 0 or more.
    package static func count(_ example: Int64) -> Self { integer(example, in: 0...Int64.max) }

    /// - Parameter length: in Unicode scalars.
    package static func text(_ example: String, _ length: ClosedRange<Int>? = nil) -> Self {
        Self(.text(Text(length: length)), example: .string(example))
    }

    /// An id as the server gives it.
    package static func id(_ example: String) -> Self { text(example, 1...128) }

    /// An id as callers give it: an integer means its decimal text.
    package static func givenID(_ example: String, isIntegerTaken: Bool = true) -> Self {
        Self(
            .text(
                Text(length: 1...128, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", isIntegerTaken: isIntegerTaken)),
            example: .string(example))
    }

    /// A message's id: 24 hexadecimal digits.
    package static let messageID = Self(
        .text(Text(pattern: "^[0-9a-f]{24}$")), example: .string("6b019cd338c20c876799004a"))

    /// Milliseconds since 1970.
    package static let milliseconds = integer(1_795_267_795_285).noted("milliseconds since 1970")
    /// A time as ISO 8601 in UTC.
    package static let time = Self(.text(Text(format: "date-time")), example: .string("2026-11-21T13:29:55.285Z"))

    package static func list(of item: Schema, atMost limit: Int? = nil) -> Self {
        Self(.list(item, atMost: limit), example: .array([item.example]))
    }

    package static func object(_ members: Member...) -> Self { object(members) }

    package static func object(_ members: [Member]) -> Self {
        let example = members.map { ($0.name, $0.schema.example) }
        return Self(.object(members), example: .object(Dictionary(example) { first, _ in first }))
    }

    /// A schema or null.
    package static func nullable(_ schema: Schema) -> Self { Self(.nullable(schema), example: schema.example) }

    package static func oneOf(_ schemas: Schema...) -> Self {
        Self(.oneOf(schemas), example: schemas.first?.example ?? .null)
    }

    /// A component of the document that this schema is written into.
    package static func named(_ component: SchemaComponent) -> Self {
        Self(.named(component.name), example: component.schema.example)
    }
}

/// A schema that documents refer to by its name.
package struct SchemaComponent: Sendable {
    package let name: String
    package let schema: Schema

    package init(_ name: String, _ schema: Schema) {
        self.name = name
        self.schema = schema
    }
}

// MARK: Writing

extension JSONWriter {
    /// A schema as JSON. Named ones become references into `#/components/schemas`.
    package mutating func schema(_ schema: Schema) {
        object { out in
            out.members(of: schema.form)
            if let note = schema.note { out.member("description", note) }
        }
    }

    private mutating func members(of form: Schema.Form) {
        switch form {
        case .anything: break
        case .boolean: member("type", "boolean")
        case .choice(let values):
            member("type", "string")
            key("enum")
            array(values) { $0.string($1) }
        case .integer(let range):
            member("type", "integer")
            if let range { bounds(range) }
        case .list(let item, let limit):
            member("type", "array")
            key("items")
            schema(item)
            if let limit { member("maxItems", limit) }
        case .named(let name): member("$ref", "#/components/schemas/\(name)")
        case .nullable(let schema): alternatives("anyOf", [schema], orNull: true)
        case .object(let members): object(of: members)
        case .oneOf(let schemas): alternatives("anyOf", schemas, orNull: false)
        case .text(let text): self.text(text)
        }
    }

    private mutating func bounds(_ range: ClosedRange<Int64>) {
        if range.lowerBound > .min { member("minimum", range.lowerBound) }
        if range.upperBound < .max { member("maximum", range.upperBound) }
    }

    private mutating func text(_ text: Schema.Text) {
        key("type")
        if text.isIntegerTaken { array(["string", "integer"]) { $0.string($1) } } else { string("string") }
        if let length = text.length {
            member("minLength", length.lowerBound)
            member("maxLength", length.upperBound)
        }
        if let format = text.format { member("format", format) }
        if let pattern = text.pattern { member("pattern", pattern) }
    }

    private mutating func alternatives(_ keyword: StaticString, _ schemas: [Schema], orNull: Bool) {
        key(keyword)
        beginArray()
        for schema in schemas { self.schema(schema) }
        if orNull { object { $0.member("type", "null") } }
        endArray()
    }

    private mutating func object(of members: [Schema.Member]) {
        member("type", "object")
        key("properties")
        object { out in
            for member in members {
                out.key(escaping: member.name)
                out.schema(member.schema)
            }
        }
        let required = members.filter(\.isRequired)
        if !required.isEmpty {
            key("required")
            array(required) { $0.string($1.name) }
        }
    }

    /// The member `schemas` of a document's components, each with its example.
    package mutating func components(_ components: [SchemaComponent]) {
        key("schemas")
        object { out in
            for component in components {
                out.key(escaping: component.name)
                out.object { out in
                    out.members(of: component.schema.form)
                    if let note = component.schema.note { out.member("description", note) }
                    out.key("examples")
                    out.array([component.schema.example]) { $0.value($1) }
                }
            }
        }
    }
}

extension JSONValue {
    /// The value as JSON for people: a member or element on each line.
    package func indented(_ margin: String = "") -> String {
        let inner = margin + "  "
        switch self {
        case .array(let items) where !items.isEmpty:
            let lines = items.map { inner + $0.indented(inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n" + margin + "]"
        case .object(let members) where !members.isEmpty:
            let lines = members.sorted { $0.key < $1.key }.map { name, value in
                inner + JSONValue.string(name).indented() + ": " + value.indented(inner)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + margin + "}"
        default:
            var out = JSONWriter()
            out.value(self)
            return String(decoding: out.bytes, as: UTF8.self)
        }
    }
}
