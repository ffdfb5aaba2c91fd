import ChatDomain

extension BSONDocument {
    /// The document as compact JSON. Dates become ISO 8601 texts and ids hex digits; values that JSON cannot express become null.
    var json: String {
        "{" + fields.map { BSONValue.quoted($0.name) + ":" + $0.value.json }.joined(separator: ",") + "}"
    }
}

extension BSONValue {
    fileprivate var json: String {
        switch self {
        case .double(let value): value.isFinite ? "\(value)" : "null"
        case .string(let text): Self.quoted(text)
        case .document(let document): document.json
        case .array(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .objectID(let id): Self.quoted(id.description)
        case .bool(let value): value ? "true" : "false"
        case .date(let milliseconds): Self.quoted(Timestamp(milliseconds: milliseconds).iso8601)
        case .int32(let value): String(value)
        case .int64(let value): String(value)
        case .null, .binary, .other: "null"
        }
    }

    fileprivate static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
