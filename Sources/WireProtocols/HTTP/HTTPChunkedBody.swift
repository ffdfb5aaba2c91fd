/// Reads the chunked transfer coding (RFC 9112 section 7.1). Extensions and trailer fields are checked and dropped.
struct HTTPChunkedBody: Sendable {
    /// Bytes of a chunk's first line, extensions included.
    static let maximumSizeLine = 256
    /// Bytes of all trailer fields together.
    static let maximumTrailers = 4096

    private enum Phase {
        case size
        case data(remaining: Int)
        case dataEnd
        case trailers(bytesLeft: Int)
    }

    private var phase = Phase.size
    private var scanner = HTTPLineScanner()

    /// Moves the bytes of the body that have come from `buffer` to `body`; true when they were its last.
    mutating func read(
        from buffer: inout InputBuffer, into body: inout [UInt8], maximumBytes: Int
    ) throws(HTTPRefusal) -> Bool {
        while true {
            switch phase {
            case .size:
                guard let line = try takeLine(from: &buffer, limit: Self.maximumSizeLine, tooLong: 400) else {
                    return false
                }
                let size = try Self.size(line)
                guard size <= maximumBytes - body.count else { throw HTTPRequestDecoder.bodyTooLarge }
                phase = size == 0 ? .trailers(bytesLeft: Self.maximumTrailers) : .data(remaining: size)
            case .data(let remaining):
                let length = min(remaining, buffer.count)
                buffer.withUnsafeBytes(in: 0..<length) { body.append(contentsOf: $0) }
                buffer.consume(length)
                phase = length == remaining ? .dataEnd : .data(remaining: remaining - length)
                if length < remaining { return false }
            case .dataEnd:
                guard let line = try takeLine(from: &buffer, limit: 2, tooLong: 400) else { return false }
                guard line.isEmpty else { throw .badRequest("chunk longer than its size") }
                phase = .size
            case .trailers(let bytesLeft):
                guard let line = try takeLine(from: &buffer, limit: bytesLeft, tooLong: 431) else { return false }
                if line.isEmpty { return true }
                try line.withUnsafeBufferPointer { (bytes) throws(HTTPRefusal) in
                    _ = try HTTPHeadParser.field(0..<bytes.count, of: UnsafeRawBufferPointer(bytes))
                }
                phase = .trailers(bytesLeft: bytesLeft - line.count - 2)
            }
        }
    }

    /// The next line without its CRLF, or nil while it is not there; one over `limit` is refused with `tooLong`.
    private mutating func takeLine(
        from buffer: inout InputBuffer, limit: Int, tooLong status: Int
    ) throws(HTTPRefusal) -> [UInt8]? {
        var scanner = scanner
        let line = try buffer.withUnsafeBytes { (bytes) throws(HTTPRefusal) -> [UInt8]? in
            guard let line = try scanner.next(in: bytes, limit: limit) else {
                guard bytes.count < limit else {
                    throw HTTPRefusal(status: status, detail: "line of a chunked body too long")
                }
                return nil
            }
            return Array(bytes[line])
        }
        guard let line else {
            self.scanner = scanner
            return nil
        }
        buffer.consume(line.count + 2)
        self.scanner = HTTPLineScanner()
        return line
    }

    private static func size(_ line: [UInt8]) throws(HTTPRefusal) -> Int {
        let semicolon = line.firstIndex(of: UInt8(ascii: ";"))
        // Blanks may stand before an extension, and nowhere else.
        let digits = semicolon.map { HTTPSyntax.trimmed(0..<$0, of: line).upperBound } ?? line.count
        guard let size = HTTPSyntax.hexadecimal(line[..<digits]) else { throw .badRequest("invalid chunk size") }
        guard line[digits...].allSatisfy(HTTPSyntax.isFieldValueCharacter) else {
            throw .badRequest("invalid character in a chunk extension")
        }
        return size
    }
}
