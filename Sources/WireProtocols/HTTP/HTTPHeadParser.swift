/// Reads a complete request head, strictly (RFC 9112 sections 2 to 6): a head that could be read in two ways is refused.
enum HTTPHeadParser {
    /// Header fields a request may have.
    static let maximumFields = 128
    /// Fields for which there is memory at once: few requests have more.
    private static let usualFields = 12

    /// - Parameter bytes: the head from its request line to the empty line, both included; its lines end in CRLF.
    static func parse(_ bytes: [UInt8]) throws(HTTPRefusal) -> HTTPRequestHead {
        var locations: [HTTPHeaders.Location] = []
        locations.reserveCapacity(usualFields)
        let (method, target, version) = try bytes.withUnsafeBufferPointer { (bytes) throws(HTTPRefusal) in
            let bytes = UnsafeRawBufferPointer(bytes)
            var lines = HTTPLineScanner()
            guard let first = try lines.next(in: bytes, limit: bytes.count) else {
                throw .badRequest("malformed request line")
            }
            let line = try requestLine(first, of: bytes)
            while let line = try lines.next(in: bytes, limit: bytes.count), !line.isEmpty {
                guard locations.count < maximumFields else {
                    throw HTTPRefusal(status: 431, detail: "too many header fields")
                }
                locations.append(try field(line, of: bytes))
            }
            return line
        }
        let headers = HTTPHeaders(bytes: bytes, locations: locations)
        try checkHost(headers, version: version)
        let framing = try framing(of: headers, version: version)
        return HTTPRequestHead(
            method: method, target: target, version: version, headers: headers, framing: framing,
            keepsAlive: keepsAlive(headers, version: version),
            expectsContinue: try expectsContinue(headers, version: version, framing: framing))
    }

    private static func requestLine(
        _ line: Range<Int>, of bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) -> (String, HTTPTarget, HTTPVersion) {
        let space = UInt8(ascii: " ")
        guard let first = HTTPSyntax.index(of: space, in: line, of: bytes),
            let second = HTTPSyntax.index(of: space, in: first + 1..<line.upperBound, of: bytes),
            HTTPSyntax.index(of: space, in: second + 1..<line.upperBound, of: bytes) == nil
        else { throw .badRequest("malformed request line") }
        let method = UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<first])
        guard HTTPSyntax.isToken(method) else { throw .badRequest("invalid method") }
        guard let target = HTTPTarget(UnsafeRawBufferPointer(rebasing: bytes[first + 1..<second])) else {
            throw .badRequest("invalid request target")
        }
        let name = String(decoding: method, as: UTF8.self)
        guard target.raw != "*" || name == "OPTIONS" else { throw .badRequest("invalid request target") }
        return (name, target, try version(UnsafeRawBufferPointer(rebasing: bytes[second + 1..<line.upperBound])))
    }

    private static func version(_ text: UnsafeRawBufferPointer) throws(HTTPRefusal) -> HTTPVersion {
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        guard text.count == 8, text.starts(with: "HTTP/".utf8), isDigit(text[5]), text[6] == UInt8(ascii: "."),
            isDigit(text[7])
        else { throw .badRequest("malformed protocol version") }
        switch (text[5], text[7]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): return .http10
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): return .http11
        default: throw HTTPRefusal(status: 505, detail: "only HTTP/1.1 and HTTP/1.0 are spoken here")
        }
    }

    /// Where the name and the value of a field line are.
    static func field(
        _ line: Range<Int>, of bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) -> HTTPHeaders.Location {
        guard !HTTPSyntax.isWhitespace(bytes[line.lowerBound]) else { throw .badRequest("folded header field") }
        guard let colon = HTTPSyntax.index(of: UInt8(ascii: ":"), in: line, of: bytes) else {
            throw .badRequest("header field without a colon")
        }
        let name = line.lowerBound..<colon
        guard HTTPSyntax.isToken(bytes[name]) else { throw .badRequest("invalid header field name") }
        let value = HTTPSyntax.trimmed((colon + 1)..<line.upperBound, of: bytes)
        guard bytes[value].allSatisfy(HTTPSyntax.isFieldValueCharacter) else {
            throw .badRequest("invalid character in a header field")
        }
        return HTTPHeaders.Location(name: name, value: value)
    }

    private static func checkHost(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPRefusal) {
        switch headers.count(of: "Host") {
        case 0: if version == .http11 { throw .badRequest("no Host") }
        case 1: if !headers.isAuthority("Host") { throw .badRequest("invalid Host") }
        default: throw .badRequest("more than one Host")
        }
    }

    private static func framing(
        of headers: HTTPHeaders, version: HTTPVersion
    ) throws(HTTPRefusal) -> HTTPBodyFraming {
        let lengths = headers.values(of: "Content-Length")
        let codings = headers.values(of: "Transfer-Encoding")
        guard lengths.isEmpty || codings.isEmpty else {
            throw .badRequest("both Content-Length and Transfer-Encoding")
        }
        guard lengths.count <= 1 else { throw .badRequest("more than one Content-Length") }
        if let text = lengths.first {
            guard let length = HTTPSyntax.decimal(text.utf8) else { throw .badRequest("invalid Content-Length") }
            return length == 0 ? .none : .length(length)
        }
        guard !codings.isEmpty else { return .none }
        guard version == .http11 else { throw .badRequest("Transfer-Encoding in HTTP/1.0") }
        guard codings.count == 1, HTTPSyntax.equalsIgnoringCase(codings[0].utf8, "chunked".utf8) else {
            throw .badRequest("unknown transfer coding")
        }
        return .chunked
    }

    private static func keepsAlive(_ headers: HTTPHeaders, version: HTTPVersion) -> Bool {
        guard !headers.contains(token: "close", in: "Connection") else { return false }
        return version == .http11 || headers.contains(token: "keep-alive", in: "Connection")
    }

    private static func expectsContinue(
        _ headers: HTTPHeaders, version: HTTPVersion, framing: HTTPBodyFraming
    ) throws(HTTPRefusal) -> Bool {
        guard version == .http11, let expectation = headers["Expect"] else { return false }
        guard HTTPSyntax.equalsIgnoringCase(expectation.utf8, "100-continue".utf8) else {
            throw HTTPRefusal(status: 417, detail: "unknown expectation")
        }
        return framing != .none
    }
}
