/// A request target (RFC 9112 section 3.2) in origin, absolute or asterisk form.
public struct HTTPTarget: Sendable, Equatable {
    /// As it came.
    public let raw: String
    /// The path, percent-encoded as it came; `*` for the asterisk form.
    public let rawPath: String
    /// The part behind the first `?`, percent-encoded as it came.
    public let rawQuery: String?
    /// The query's items in the order they came, decoded (`+` is a space). Nil when the encoding is malformed or not
    /// UTF-8; empty when there is no query.
    public let queryItems: [HTTPField]?

    /// Nil when the target is in none of the forms a server that is no proxy takes.
    init?(_ raw: String) {
        guard let start = Self.pathStart(in: raw) else { return nil }
        let rest = raw.utf8[start...]
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        let path = String(raw[start..<(mark ?? rest.endIndex)])
        self.raw = raw
        rawPath = path.isEmpty ? "/" : path
        rawQuery = mark.map { String(raw[rest.index(after: $0)...]) }
        queryItems = Self.items(of: rawQuery ?? "")
    }

    /// The path with its percent-encoding undone; nil when that is malformed or not UTF-8.
    public var path: String? {
        Self.decoded(rawPath.utf8, plusIsSpace: false)
    }

    /// The segments between the path's slashes, each decoded by itself, so that an encoded slash stays within its
    /// segment; empty ones are kept. Nil when the encoding is malformed or not UTF-8.
    public var pathSegments: [String]? {
        Self.allOrNothing(
            rawPath.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        ) { Self.decoded($0, plusIsSpace: false) }
    }

    private static func items(of query: String) -> [HTTPField]? {
        allOrNothing(query.utf8.split(separator: UInt8(ascii: "&"))) { item in
            let parts = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0], plusIsSpace: true),
                let value = parts.count > 1 ? decoded(parts[1], plusIsSpace: true) : ""
            else { return nil }
            return HTTPField(name, value)
        }
    }

    /// Where the path begins: at once, or behind the scheme and authority of the absolute form.
    private static func pathStart(in raw: String) -> String.Index? {
        if raw.utf8.first == UInt8(ascii: "/") || raw == "*" { return raw.startIndex }
        let lowercased = raw.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix) else { return nil }
        let authority = raw.utf8.dropFirst(scheme.utf8.count)
        let end = authority.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? authority.endIndex
        return end == authority.startIndex ? nil : end
    }

    private static func decoded(_ text: some Collection<UInt8>, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(HTTPSyntax.hexDigit),
                    let low = rest.next().flatMap(HTTPSyntax.hexDigit)
                else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                bytes.append(UInt8(ascii: " "))
            default:
                bytes.append(byte)
            }
        }
        return UTF8Validator.isValid(bytes) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static func allOrNothing<Part, Result>(_ parts: [Part], _ transform: (Part) -> Result?) -> [Result]? {
        var results: [Result] = []
        results.reserveCapacity(parts.count)
        for part in parts {
            guard let result = transform(part) else { return nil }
            results.append(result)
        }
        return results
    }
}
