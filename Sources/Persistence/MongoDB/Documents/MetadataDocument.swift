import ChatDomain
import JSON

/// Metadata: a JSON object for clients, a document in the collection.
extension BSONValue {
    /// The document of a JSON object, and the text itself where the document does not give it back as it is: another writing of
    /// a number, a name twice. A text that is no document is stored as a text, as earlier versions did.
    static func metadata(_ text: String) -> (value: BSONValue, verbatim: BSONValue?) {
        let parser = JSONParser(maximumDepth: maximumDepth)
        let bytes = Array(text.utf8)
        let document = bytes.withUnsafeBytes { bytes in
            (try? parser.parse(bytes)).flatMap { $0.kind == .object ? BSONDocument($0) : nil }
        }
        guard let document else { return (.string(text), nil) }
        return (.document(document), document.json.hasSameBytes(as: text) ? nil : .string(text))
    }

    /// What `BSONDocument` reads again.
    private static let maximumDepth = 64

    /// Nil for a value that has a name MongoDB does not take.
    fileprivate init?(_ element: JSONElement) {
        switch element.kind {
        case .null: self = .null
        case .bool: self = .bool(element.bool ?? false)
        case .integer:
            let value = element.integer ?? 0
            self = Int32(exactly: value).map { .int32($0) } ?? .int64(value)
        case .unsigned, .double: self = .double(element.number ?? 0)
        case .string: self = .string(element.string ?? "")
        case .array:
            var values: [BSONValue] = []
            for each in element.elements {
                guard let value = BSONValue(each) else { return nil }
                values.append(value)
            }
            self = .array(values)
        case .object:
            guard let document = BSONDocument(element) else { return nil }
            self = .document(document)
        }
    }
}

extension BSONDocument {
    /// Metadata as JSON text. This service stores a document and earlier versions a text. A text that is no JSON object is
    /// dropped, because it would make the message it is written into invalid.
    var metadataText: String? {
        switch self["metadata"] {
        case .string(let text)?: Self.object(text)
        case .document(let document)?: self["metadataText"]?.text.flatMap(Self.object) ?? document.json
        default: nil
        }
    }

    private static func object(_ text: String) -> String? {
        (try? JSONValue(parsing: text.utf8))?.object == nil ? nil : text
    }

    /// Names with a dot, a dollar in front, or NUL have a meaning of their own in commands.
    fileprivate init?(_ object: JSONElement) {
        var fields: [Field] = []
        var isDocument = true
        object.forEachMember { name, element in
            let isName =
                !name.isEmpty && !name.hasPrefix("$") && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: ".") }
            guard isName, let value = BSONValue(element) else {
                isDocument = false
                return false
            }
            fields.append(Field(name: name, value: value))
            return true
        }
        guard isDocument else { return nil }
        self.init(fields: fields)
    }
}
