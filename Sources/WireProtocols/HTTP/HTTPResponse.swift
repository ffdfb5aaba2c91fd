/// A response to a request. The encoder adds its length, `Date` and `Connection`.
public struct HTTPResponse: Sendable, Equatable {
    public var status: Int
    public var fields: [HTTPField]
    public var body: [UInt8]

    public init(status: Int, fields: [HTTPField] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The status's phrase.
    public var reason: String { HTTPStatus.reason(of: status) }
}

/// Writes HTTP/1.1 responses (RFC 9112).
public enum HTTPResponseEncoder {
    /// Sent when a wanted request `expectsContinue` (RFC 9110 section 15.2.1).
    public static let continueResponse = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

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
        let isBodiless = HTTPStatus.isBodiless(response.status)
        var output = head(
            of: response, length: isBodiless ? nil : response.body.count, date: date, keepsAlive: keepsAlive)
        if !isBodiless, !isHead { output.append(contentsOf: response.body) }
        return output
    }

    /// The head of a response whose body of `length` bytes is sent behind it; the response's own body is ignored. Without a
    /// length for a status that has no body.
    public static func head(
        of response: HTTPResponse, length: Int?, date: String, keepsAlive: Bool
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(512 + response.body.count)
        output.append(contentsOf: "HTTP/1.1 \(response.status) \(response.reason)\r\n".utf8)
        append("Date", date, to: &output)
        for field in response.fields where !encoderFields.contains(where: { isCalled($0, field) }) {
            append(field.name, field.value, to: &output)
        }
        append("Connection", connection(of: response, keepsAlive: keepsAlive), to: &output)
        if let length { append("Content-Length", String(length), to: &output) }
        output.append(contentsOf: "\r\n".utf8)
        return output
    }

    /// An `Upgrade` field has to be named in `Connection` (RFC 9110 section 7.8).
    private static func connection(of response: HTTPResponse, keepsAlive: Bool) -> String {
        let upgrades = response.fields.contains { isCalled("upgrade", $0) }
        if response.status == 101 { return "Upgrade" }
        return (upgrades ? "Upgrade, " : "") + (keepsAlive ? "keep-alive" : "close")
    }

    private static func isCalled(_ name: String, _ field: HTTPField) -> Bool {
        HTTPSyntax.equalsIgnoringCase(name.utf8, field.name.utf8)
    }

    private static func append(_ name: String, _ value: String, to output: inout [UInt8]) {
        guard HTTPSyntax.isToken(name.utf8) else { return }
        output.append(contentsOf: name.utf8)
        output.append(contentsOf: ": ".utf8)
        // A value that needs no change is copied as a whole, which is faster than byte by byte.
        if value.utf8.allSatisfy(HTTPSyntax.isFieldValueCharacter) {
            output.append(contentsOf: value.utf8)
        } else {
            output.append(contentsOf: value.utf8.filter(HTTPSyntax.isFieldValueCharacter))
        }
        output.append(contentsOf: "\r\n".utf8)
    }
}
