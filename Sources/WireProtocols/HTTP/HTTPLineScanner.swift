/// Finds lines that end in CRLF, remembering how far it has looked. A CR or LF that stands alone is refused: others might
/// take it for the end of a line (RFC 9112 section 2.2).
struct HTTPLineScanner: Sendable {
    private var scanned = 0
    private var lineStart = 0

    /// The next line without its CRLF; nil when its end is not within the first `limit` bytes, or not there yet.
    mutating func next(in bytes: UnsafeRawBufferPointer, limit: Int) throws(HTTPRefusal) -> Range<Int>? {
        let end = min(bytes.count, limit)
        while scanned < end {
            let index = scanned
            let followsReturn = index > lineStart && bytes[index - 1] == HTTPSyntax.carriageReturn
            guard (bytes[index] == HTTPSyntax.lineFeed) == followsReturn else {
                throw .badRequest(
                    followsReturn ? "carriage return without a line feed" : "line feed without a carriage return")
            }
            scanned += 1
            guard followsReturn else { continue }
            defer { lineStart = scanned }
            return lineStart..<(index - 1)
        }
        return nil
    }
}
