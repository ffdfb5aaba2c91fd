import JSON

/// A response to a request. The encoder adds its length, `Date` and `Connection`.
public struct HTTPResponse: Sendable, Equatable {
    public var status: Int
    public var fields: [HTTPField]
    /// Fields that many responses have, behind this one's own.
    public var commonFields: HTTPFieldBlock?
    public var body: [UInt8]

    public init(status: Int, fields: [HTTPField] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The status's phrase.
    public var reason: String { HTTPStatus.reason(of: status) }
}

/// Header fields that many responses have, encoded once. Not `Upgrade`.
public struct HTTPFieldBlock: Sendable, Equatable {
    public let fields: [HTTPField]
    let bytes: [UInt8]

    public init(_ fields: [HTTPField]) {
        self.fields = fields
        var bytes: [UInt8] = []
        HTTPResponseEncoder.append(fields, to: &bytes)
        self.bytes = bytes
    }
}

/// Writes HTTP/1.1 responses (RFC 9112).
public enum HTTPResponseEncoder {
    /// The bytes of a response. They follow each other on the wire.
    public struct Parts: Sendable {
        /// The head, and the body where that is short.
        public var beginning: [UInt8]
        /// The response's own body where it is long, uncopied; else empty.
        public var body: [UInt8] = []
    }

    /// Sent when a wanted request `expectsContinue` (RFC 9110 section 15.2.1).
    public static let continueResponse = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Bytes of the longest body that is copied behind its head.
    static let shortBody = 1024
    /// Bytes that almost every head has room in.
    private static let usualHead = 640

    /// Fields that the encoder writes itself; a response's are left out.
    private static let encoderFields = ["connection", "content-length", "date", "transfer-encoding"]

    /// - Parameters:
    ///   - date: the time as an HTTP date (RFC 9110 section 5.6.7).
    ///   - keepsAlive: whether the connection stays open; if not, the response says so.
    ///   - isHead: the request's method was HEAD: the body is left out, and its length is given.
    /// - Returns: the response's bytes. Fields whose name is no token are left out, control characters are left out of
    ///   values, so that nothing in a value can end its line.
    public static func encode(
        _ response: HTTPResponse, date: String, keepsAlive: Bool, isHead: Bool = false
    ) -> [UInt8] {
        let parts = parts(of: response, date: date, keepsAlive: keepsAlive, isHead: isHead)
        return parts.body.isEmpty ? parts.beginning : parts.beginning + parts.body
    }

    /// As `encode`, without a copy of a long body.
    public static func parts(
        of response: HTTPResponse, date: String, keepsAlive: Bool, isHead: Bool = false
    ) -> Parts {
        let isBodiless = HTTPStatus.isBodiless(response.status)
        var parts = Parts(
            beginning: head(
                of: response, length: isBodiless ? nil : response.body.count, date: date, keepsAlive: keepsAlive))
        guard !isBodiless, !isHead else { return parts }
        if response.body.count > shortBody {
            parts.body = response.body
        } else {
            parts.beginning.append(contentsOf: response.body)
        }
        return parts
    }

    /// The head of a response whose body of `length` bytes is sent behind it; the response's own body is ignored. Without a
    /// length for a status that has no body.
    public static func head(
        of response: HTTPResponse, length: Int?, date: String, keepsAlive: Bool
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(usualHead + min(response.body.count, shortBody))
        output.append(contentsOf: "HTTP/1.1 ".utf8)
        JSONWriter.decimal(Int64(response.status), into: &output)
        output.append(UInt8(ascii: " "))
        output.append(contentsOf: response.reason.utf8)
        output.append(contentsOf: "\r\nDate: ".utf8)
        output.append(contentsOf: date.utf8)
        output.append(contentsOf: "\r\n".utf8)
        append(response.fields, to: &output)
        if let common = response.commonFields { output.append(contentsOf: common.bytes) }
        output.append(contentsOf: "Connection: ".utf8)
        output.append(contentsOf: connection(of: response, keepsAlive: keepsAlive).utf8)
        if let length {
            output.append(contentsOf: "\r\nContent-Length: ".utf8)
            JSONWriter.decimal(Int64(length), into: &output)
        }
        output.append(contentsOf: "\r\n\r\n".utf8)
        return output
    }

    /// An `Upgrade` field has to be named in `Connection` (RFC 9110 section 7.8).
    private static func connection(of response: HTTPResponse, keepsAlive: Bool) -> String {
        if response.status == 101 { return "Upgrade" }
        guard response.fields.contains(where: { isCalled("upgrade", $0) }) else {
            return keepsAlive ? "keep-alive" : "close"
        }
        return keepsAlive ? "Upgrade, keep-alive" : "Upgrade, close"
    }

    private static func isCalled(_ name: String, _ field: HTTPField) -> Bool {
        HTTPSyntax.equalsIgnoringCase(name.utf8, field.name.utf8)
    }

    static func append(_ fields: [HTTPField], to output: inout [UInt8]) {
        for field in fields where !encoderFields.contains(where: { isCalled($0, field) }) {
            append(field.name, field.value, to: &output)
        }
    }

    private static func append(_ name: String, _ value: String, to output: inout [UInt8]) {
        // As bytes in one piece, which are looked at several times faster than a text's.
        var (name, value) = (name, value)
        guard name.withUTF8(HTTPSyntax.isToken) else { return }
        name.withUTF8 { output.append(contentsOf: $0) }
        output.append(contentsOf: ": ".utf8)
        value.withUTF8 { value in
            // A value that needs no change is copied as a whole, which is faster than byte by byte.
            if value.allSatisfy(HTTPSyntax.isFieldValueCharacter) {
                output.append(contentsOf: value)
            } else {
                output.append(contentsOf: value.lazy.filter(HTTPSyntax.isFieldValueCharacter))
            }
        }
        output.append(contentsOf: "\r\n".utf8)
    }
}
