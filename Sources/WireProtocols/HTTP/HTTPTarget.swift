/// A request target (RFC 9112 section 3.2) in origin, absolute or asterisk form.
public struct HTTPTarget: Sendable, Equatable {
    /// As it came.
    public let raw: String
    /// The segments between the path's slashes, each decoded by itself, so that an encoded slash stays within its
    /// segment; empty ones are kept. Nil when the encoding is malformed or not UTF-8.
    public let pathSegments: [String]?
    /// The query's items in the order they came, decoded (`+` is a space). Nil when the encoding is malformed or not
    /// UTF-8; empty when there is no query.
    public let queryItems: [HTTPField]?
    /// Where the path is in `raw`; empty where the absolute form has none.
    private let pathRange: Range<Int>

    /// Nil when the target is in none of the forms a server that is no proxy takes, or holds what no target does.
    init?(_ bytes: UnsafeRawBufferPointer) {
        let isVisible = bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        guard isVisible, let start = Self.pathStart(in: bytes) else { return nil }
        let mark = HTTPSyntax.index(of: UInt8(ascii: "?"), in: start..<bytes.count, of: bytes)
        raw = String(decoding: bytes, as: UTF8.self)
        pathRange = start..<(mark ?? bytes.count)
        pathSegments = Self.segments(pathRange.dropFirst(), of: bytes)
        queryItems = mark.map { Self.items($0 + 1..<bytes.count, of: bytes) } ?? []
    }

    /// The path, percent-encoded as it came; `*` for the asterisk form.
    public var rawPath: String { pathRange.isEmpty ? "/" : text(pathRange) }

    /// The part behind the first `?`, percent-encoded as it came.
    public var rawQuery: String? {
        pathRange.upperBound < raw.utf8.count ? text(pathRange.upperBound + 1..<raw.utf8.count) : nil
    }

    /// The path with its percent-encoding undone; nil when that is malformed or not UTF-8.
    public var path: String? {
        var path = rawPath
        return path.withUTF8 { Self.decoded(UnsafeRawBufferPointer($0), plusIsSpace: false) }
    }

    /// Whether `rawPath` is this.
    public func hasRawPath(_ path: String) -> Bool {
        max(pathRange.count, 1) == path.utf8.count && rawPath == path
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: raw.utf8.dropFirst(range.lowerBound).prefix(range.count), as: UTF8.self)
    }

    private static func segments(_ path: Range<Int>, of bytes: UnsafeRawBufferPointer) -> [String]? {
        var segments: [String] = []
        var start = path.lowerBound
        while true {
            let slash = HTTPSyntax.index(of: UInt8(ascii: "/"), in: start..<path.upperBound, of: bytes)
            let end = slash ?? path.upperBound
            guard let segment = decoded(bytes, start..<end, plusIsSpace: false) else { return nil }
            segments.append(segment)
            guard let slash else { return segments }
            start = slash + 1
        }
    }

    private static func items(_ query: Range<Int>, of bytes: UnsafeRawBufferPointer) -> [HTTPField]? {
        var items: [HTTPField] = []
        var start = query.lowerBound
        while start < query.upperBound {
            let end =
                HTTPSyntax.index(of: UInt8(ascii: "&"), in: start..<query.upperBound, of: bytes) ?? query.upperBound
            if start < end {
                let mark = HTTPSyntax.index(of: UInt8(ascii: "="), in: start..<end, of: bytes)
                guard let name = decoded(bytes, start..<(mark ?? end), plusIsSpace: true),
                    let value = mark.map({ decoded(bytes, $0 + 1..<end, plusIsSpace: true) }) ?? ""
                else { return nil }
                items.append(HTTPField(name, value))
            }
            start = end + 1
        }
        return items
    }

    /// Where the path begins: at once, or behind the scheme and authority of the absolute form.
    private static func pathStart(in raw: UnsafeRawBufferPointer) -> Int? {
        if raw.first == UInt8(ascii: "/") || raw.elementsEqual("*".utf8) { return 0 }
        let scheme = ["http://", "https://"].first { scheme in
            HTTPSyntax.equalsIgnoringCase(raw.prefix(scheme.utf8.count), scheme.utf8)
        }
        guard let start = scheme?.utf8.count else { return nil }
        let end = raw[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? raw.count
        return end == start ? nil : end
    }

    private static func decoded(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, plusIsSpace: Bool) -> String? {
        decoded(UnsafeRawBufferPointer(rebasing: bytes[range]), plusIsSpace: plusIsSpace)
    }

    private static func decoded(_ text: UnsafeRawBufferPointer, plusIsSpace: Bool) -> String? {
        // Most texts are as they are written.
        guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") && plusIsSpace }) else {
            return String(decoding: text, as: UTF8.self)
        }
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
}
