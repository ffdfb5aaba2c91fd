/// Reads a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1) piece by piece, as its bytes come.
///
/// It holds no more than a delimiter of a part's content, or one part's head.
public struct MultipartParser: Sendable {
    /// Bytes of one part's head, and of the text before the first part.
    static let maximumHeadBytes = 8 * 1024
    /// Parts of one body.
    static let maximumParts = 32

    /// What came next in the body.
    public enum Event: Sendable, Equatable {
        /// A part begins.
        case part(MultipartPart)
        /// Bytes of the part's content; at least one.
        case content([UInt8])
        /// The part's content is over.
        case partEnd
    }

    private enum Phase {
        case preamble
        /// Behind a delimiter: the rest of its line says whether a part follows.
        case delimiterEnd
        case head
        case content
        /// Behind the last delimiter; further bytes are dropped.
        case epilogue
    }

    /// With the line end before it, which is no part of the content.
    private let delimiter: [UInt8]
    private var phase = Phase.preamble
    /// Bytes that are not understood yet. The line end that the first delimiter may lack is put before all others.
    private var buffer: [UInt8] = [13, 10]
    private var parts = 0

    /// - Parameter contentType: the value of the request's `Content-Type`.
    /// - Throws: 400 unless it is `multipart/form-data` with a boundary of 1 to 70 characters.
    public init(contentType: String) throws(HTTPRefusal) {
        let value = HeaderParameters(contentType)
        guard value.value == "multipart/form-data", let boundary = value["boundary"],
            1...70 ~= boundary.utf8.count, boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw .badRequest("multipart/form-data needs a boundary of 1 to 70 characters") }
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// Whether a request's body is of this type.
    public static func isMultipart(_ contentType: String?) -> Bool {
        contentType.map { HeaderParameters($0).value == "multipart/form-data" } ?? false
    }

    /// Whether the last delimiter came: a body that ends before was cut off.
    public var isComplete: Bool { if case .epilogue = phase { true } else { false } }

    /// Takes the next bytes of the body.
    ///
    /// - Throws: 400 for a body that is not of this type or exceeds a bound. Nothing may be passed in after that.
    public mutating func receive(_ bytes: some Collection<UInt8>) throws(HTTPRefusal) -> [Event] {
        guard !isComplete else { return [] }
        buffer.append(contentsOf: bytes)
        var events: [Event] = []
        var position = 0
        while try step(&position, &events) {}
        buffer.removeFirst(position)
        return events
    }

    /// Does one step from `position` on; false when it needs more bytes.
    private mutating func step(_ position: inout Int, _ events: inout [Event]) throws(HTTPRefusal) -> Bool {
        switch phase {
        case .preamble:
            guard let found = firstIndex(of: delimiter, from: position) else {
                guard buffer.count - position <= Self.maximumHeadBytes else { throw .badRequest("no part in the body") }
                return false
            }
            position = found + delimiter.count
            phase = .delimiterEnd
        case .delimiterEnd: return try readDelimiterEnd(&position)
        case .head:
            guard let part = try readHead(&position) else { return false }
            events.append(.part(part))
            phase = .content
        case .content: return readContent(&position, &events)
        case .epilogue:
            position = buffer.count
            return false
        }
        return true
    }

    private mutating func readDelimiterEnd(_ position: inout Int) throws(HTTPRefusal) -> Bool {
        guard buffer.count - position >= 2 else { return false }
        if buffer[position] == UInt8(ascii: "-"), buffer[position + 1] == UInt8(ascii: "-") {
            phase = .epilogue
            return true
        }
        // Blanks may stand between a delimiter and the end of its line.
        var end = position
        while end < buffer.count, HTTPSyntax.isWhitespace(buffer[end]) { end += 1 }
        guard end - position <= Self.maximumHeadBytes else { throw .badRequest("malformed delimiter of a part") }
        guard buffer.count - end >= 2 else { return false }
        guard buffer[end] == 13, buffer[end + 1] == 10 else { throw .badRequest("malformed delimiter of a part") }
        parts += 1
        guard parts <= Self.maximumParts else { throw .badRequest("more than \(Self.maximumParts) parts") }
        position = end + 2
        phase = .head
        return true
    }

    private func readHead(_ position: inout Int) throws(HTTPRefusal) -> MultipartPart? {
        let isEmpty = buffer[position...].starts(with: [13, 10])
        guard let end = isEmpty ? position : firstIndex(of: [13, 10, 13, 10], from: position) else {
            guard buffer.count - position <= Self.maximumHeadBytes else { throw .badRequest("head of a part too long") }
            return nil
        }
        guard end - position <= Self.maximumHeadBytes else { throw .badRequest("head of a part too long") }
        let part = try MultipartPart(head: buffer[position..<end])
        position = end + (isEmpty ? 2 : 4)
        return part
    }

    private mutating func readContent(_ position: inout Int, _ events: inout [Event]) -> Bool {
        let found = firstIndex(of: delimiter, from: position)
        // The last bytes may be the beginning of a delimiter.
        let end = found ?? max(position, buffer.count - delimiter.count + 1)
        if end > position { events.append(.content(Array(buffer[position..<end]))) }
        position = end
        guard found != nil else { return false }
        position += delimiter.count
        events.append(.partEnd)
        phase = .delimiterEnd
        return true
    }

    private func firstIndex(of pattern: [UInt8], from start: Int) -> Int? {
        buffer.withUnsafeBufferPointer { bytes in
            guard let first = pattern.first, bytes.count - start >= pattern.count else { return nil }
            var index = start
            let last = bytes.count - pattern.count
            while index <= last {
                if bytes[index] == first, bytes[index..<(index + pattern.count)].elementsEqual(pattern) { return index }
                index += 1
            }
            return nil
        }
    }
}

/// The head of one part of a form.
public struct MultipartPart: Sendable, Equatable {
    /// The name of the form's field; nil for a part without one.
    public let name: String?
    /// The name of the file, as the client gave it, with the percent-encoding of quotes and line ends undone.
    public let fileName: String?
    /// The value of `Content-Type`; nil without one.
    public let contentType: String?

    public init(name: String?, fileName: String?, contentType: String?) {
        self.name = name
        self.fileName = fileName
        self.contentType = contentType
    }

    init(head: ArraySlice<UInt8>) throws(HTTPRefusal) {
        var disposition: HeaderParameters?
        var type: String?
        for line in head.split(separator: 10) {
            let line = line.last == 13 ? line.dropLast() : line
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                throw .badRequest("field of a part without a colon")
            }
            let value = String(decoding: line[(colon + 1)...].drop(while: HTTPSyntax.isWhitespace), as: UTF8.self)
            if HTTPSyntax.equalsIgnoringCase(line[..<colon], "Content-Disposition".utf8) {
                disposition = HeaderParameters(value)
            } else if HTTPSyntax.equalsIgnoringCase(line[..<colon], "Content-Type".utf8) {
                type = value
            }
        }
        guard let disposition, disposition.value == "form-data" else {
            throw .badRequest("a part is no field of a form")
        }
        self.init(
            name: disposition["name"].map(Self.unescaped), fileName: disposition["filename"].map(Self.unescaped),
            contentType: type)
    }

    /// Browsers write quotes and line ends within names in this way, and nothing else (HTML, "multipart form data").
    private static func unescaped(_ text: String) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            let code = rest.prefix(3).dropFirst().map { $0 }
            switch (byte, code) {
            case (UInt8(ascii: "%"), Array("22".utf8)): result.append(UInt8(ascii: "\""))
            case (UInt8(ascii: "%"), Array("0D".utf8)): result.append(13)
            case (UInt8(ascii: "%"), Array("0A".utf8)): result.append(10)
            default:
                result.append(byte)
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst(3)
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// A field's value and the parameters behind it: `value; name=token; name="quoted"` (RFC 9110 section 5.6.6).
struct HeaderParameters {
    /// In lower case, without blanks.
    let value: String
    private var parameters: [(name: String, value: String)] = []

    init(_ text: String) {
        var rest = Array(text.utf8)[...]
        value = Self.token(rest.prefix { $0 != UInt8(ascii: ";") }).lowercased()
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        while rest.first == UInt8(ascii: ";") {
            rest = rest.dropFirst().drop(while: HTTPSyntax.isWhitespace)
            let name = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(name.count)
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest = rest.dropFirst()
            parameters.append((Self.token(name).lowercased(), Self.takeValue(&rest)))
            rest = rest.drop { $0 != UInt8(ascii: ";") }
        }
    }

    /// The first parameter of this name, which is in lower case.
    subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    private static func takeValue(_ rest: inout ArraySlice<UInt8>) -> String {
        guard rest.first == UInt8(ascii: "\"") else {
            let value = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(value.count)
            return token(value)
        }
        rest = rest.dropFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            // Paths of Windows hold backslashes that escape nothing.
            if byte == UInt8(ascii: "\\"), let next = rest.first, next == UInt8(ascii: "\"") || next == byte {
                rest = rest.dropFirst()
                value.append(next)
            } else {
                value.append(byte)
            }
        }
        return String(decoding: value, as: UTF8.self)
    }

    private static func token(_ bytes: ArraySlice<UInt8>) -> String {
        let bytes = Array(bytes)
        return String(decoding: bytes[HTTPSyntax.trimmed(0..<bytes.count, of: bytes)], as: UTF8.self)
    }
}
