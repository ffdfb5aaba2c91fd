/// Reads a complete request head, strictly (RFC 9112 sections 2 to 6): a head that could be read in two ways is refused.
enum HTTPHeadParser {
    /// Header fields a request may have.
    static let maximumFields = 128

    /// - Parameter bytes: the head from its request line to the empty line, both included; its lines end in CRLF.
    static func parse(_ bytes: [UInt8]) throws(HTTPRefusal) -> HTTPRequestHead {
        let lines = try lines(of: bytes)
        guard let first = lines.first, lines.count - 1 <= maximumFields else {
            throw HTTPRefusal(status: 431, detail: "too many header fields")
        }
        let (method, target, version) = try requestLine(first, of: bytes)
        var locations: [HTTPHeaders.Location] = []
        locations.reserveCapacity(lines.count - 1)
        for line in lines.dropFirst() { locations.append(try field(line, of: bytes)) }
        let headers = HTTPHeaders(bytes: bytes, locations: locations)
        try checkHost(headers, version: version)
        let framing = try framing(of: headers, version: version)
        return HTTPRequestHead(
            method: method, target: target, version: version, headers: headers, framing: framing,
            keepsAlive: keepsAlive(headers, version: version),
            expectsContinue: try expectsContinue(headers, version: version, framing: framing))
    }

    /// The request line and the field lines, without their ends.
    private static func lines(of bytes: [UInt8]) throws(HTTPRefusal) -> [Range<Int>] {
        var scanner = HTTPLineScanner()
        var lines: [Range<Int>] = []
        try bytes.withUnsafeBufferPointer { (bytes) throws(HTTPRefusal) in
            let bytes = UnsafeRawBufferPointer(bytes)
            while let line = try scanner.next(in: bytes, limit: bytes.count), !line.isEmpty { lines.append(line) }
        }
        return lines
    }

    private static func requestLine(
        _ line: Range<Int>, of bytes: [UInt8]
    ) throws(HTTPRefusal) -> (String, HTTPTarget, HTTPVersion) {
        let parts = bytes[line].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .badRequest("malformed request line") }
        guard HTTPSyntax.isToken(parts[0]) else { throw .badRequest("invalid method") }
        let isVisible = parts[1].allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        guard isVisible, let target = HTTPTarget(String(decoding: parts[1], as: UTF8.self)) else {
            throw .badRequest("invalid request target")
        }
        let method = String(decoding: parts[0], as: UTF8.self)
        guard target.raw != "*" || method == "OPTIONS" else { throw .badRequest("invalid request target") }
        return (method, target, try version(parts[2]))
    }

    private static func version(_ text: ArraySlice<UInt8>) throws(HTTPRefusal) -> HTTPVersion {
        let name = Array("HTTP/".utf8)
        let digits = text.dropFirst(name.count)
        let isDigit = { (byte: UInt8?) in byte.map { (0x30...0x39).contains($0) } ?? false }
        guard text.starts(with: name), digits.count == 3, isDigit(digits.first), isDigit(digits.last),
            digits.dropFirst().first == UInt8(ascii: ".")
        else { throw .badRequest("malformed protocol version") }
        switch String(decoding: digits, as: UTF8.self) {
        case "1.0": return .http10
        case "1.1": return .http11
        default: throw HTTPRefusal(status: 505, detail: "only HTTP/1.1 and HTTP/1.0 are spoken here")
        }
    }

    /// Where the name and the value of a field line are.
    static func field(_ line: Range<Int>, of bytes: [UInt8]) throws(HTTPRefusal) -> HTTPHeaders.Location {
        guard !HTTPSyntax.isWhitespace(bytes[line.lowerBound]) else { throw .badRequest("folded header field") }
        guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")) else {
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
        let hosts = headers.values(of: "Host")
        guard hosts.count <= 1 else { throw .badRequest("more than one Host") }
        guard let host = hosts.first else {
            if version == .http11 { throw .badRequest("no Host") }
            return
        }
        let isAuthority = host.utf8.allSatisfy { byte in
            (0x21...0x7E).contains(byte) && !"/?#@\\,\"<>^`{|}".utf8.contains(byte)
        }
        guard isAuthority else { throw .badRequest("invalid Host") }
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
