/// Fields of HTTP requests that may hold credentials.
struct HeaderFields: Equatable, Sendable {
    struct Field: Equatable, Sendable {
        var name: String
        var value: Secret
    }

    var fields: [Field]

    /// Reads `name=value` with commas between, as W3C Baggage writes them, with percent-encoded values; nil for other texts.
    init?(_ text: String) {
        var fields: [Field] = []
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].trimmingBlanks()
            guard parts.count == 2, !name.isEmpty, name.utf8.allSatisfy(Self.isOfName),
                let value = ServerURL.decoded(parts[1].trimmingBlanks()[...]),
                !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
            else { return nil }
            fields.append(Field(name: name, value: Secret(value)))
        }
        guard !fields.isEmpty else { return nil }
        self.fields = fields
    }

    /// Whether a byte may be in the name of a field (RFC 9110 section 5.6.2).
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension ValueType<HeaderFields> {
    static let headerFields = Self(allowed: "name=value pairs with commas between, values percent-encoded") {
        HeaderFields($0)
    }
}
