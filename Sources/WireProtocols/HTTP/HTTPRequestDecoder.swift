/// Reads HTTP/1.1 requests (RFC 9112) out of an `InputBuffer`.
///
/// Call `next` until it answers `.needMore`. Each request gives `.head` and then `.end` with its whole body; a streamed body
/// comes before that in `.part`s. After `.head` the caller may take the connection over for another protocol: the bytes left
/// in the buffer are then that protocol's. To leave pipelined requests, or the rest of a body, where they are, do not call
/// `next`.
public struct HTTPRequestDecoder: Sendable {
    public struct Limits: Sendable {
        /// Bytes of a request's line and header fields together; more is 431.
        public var headBytes: Int
        /// Bytes of a body; more is 413.
        public var bodyBytes: Int

        public init(headBytes: Int = 16 * 1024, bodyBytes: Int) {
            self.headBytes = headBytes
            self.bodyBytes = bodyBytes
        }
    }

    public enum Action: Sendable {
        case needMore
        /// A request begins. If it `expectsContinue` and is wanted, the client is to be sent
        /// `HTTPResponseEncoder.continueResponse` now.
        case head(HTTPRequestHead)
        /// Bytes of a streamed body, at most as many as the buffer held; at least one.
        case part([UInt8])
        /// The request is there as a whole. The body is empty where it was streamed.
        case end(body: [UInt8])
        /// The request is refused, and the connection is to be closed after the answer: `next` reads nothing more.
        case failure(HTTPRefusal)
    }

    private enum Phase {
        case head(HTTPLineScanner, isBlankAllowed: Bool)
        case body(remaining: Int)
        case chunks(HTTPChunkedBody)
        case failed

        static let start = Phase.head(HTTPLineScanner(), isBlankAllowed: true)
    }

    private let limits: Limits
    private var phase = Phase.start
    private var body: [UInt8] = []
    /// Bytes of a streamed body given out so far; nil while bodies are collected.
    private var streamedBytes: Int?
    /// The most bytes of the present body.
    private var bodyLimit: Int

    public init(_ limits: Limits) {
        self.limits = limits
        bodyLimit = limits.bodyBytes
    }

    /// Whether the bytes of a request have begun to come and have not all come, as a time limit on slow requests needs to
    /// know.
    public func isMidRequest(_ buffer: InputBuffer) -> Bool {
        switch phase {
        case .head: !buffer.isEmpty
        case .body, .chunks: true
        case .failed: false
        }
    }

    /// As the other, without heads that are kept.
    public mutating func next(
        _ buffer: inout InputBuffer, rule: (HTTPRequestHead) -> HTTPBodyRule = { _ in .collected }
    ) -> Action {
        var none = HTTPHeadMemory(capacity: 0)
        return next(&buffer, heads: &none, rule: rule)
    }

    /// The next action; takes the bytes it has understood out of `buffer`.
    ///
    /// - Parameters:
    ///   - heads: heads that need not be read again.
    ///   - rule: how the body of a request with this head is taken. A length over the rule's limit is refused with
    ///     the head.
    public mutating func next(
        _ buffer: inout InputBuffer, heads: inout HTTPHeadMemory, rule: (HTTPRequestHead) -> HTTPBodyRule
    ) -> Action {
        do throws(HTTPRefusal) {
            switch phase {
            case .head: return try readHead(&buffer, &heads, rule)
            case .body(let remaining): return readBody(remaining, from: &buffer)
            case .chunks(let chunks): return try readChunks(chunks, from: &buffer)
            case .failed:
                buffer.consume(buffer.count)
                return .needMore
            }
        } catch {
            var refusal = error
            if case .head = phase {
                refusal.origin = Self.field("Origin", in: buffer)
                refusal.host = Self.field("Host", in: buffer)
            }
            phase = .failed
            body = []
            return .failure(refusal)
        }
    }

    /// A field of a head that is refused, where a whole line of visible ASCII holds it.
    private static func field(_ name: StaticString, in buffer: InputBuffer) -> String? {
        buffer.withUnsafeBytes { bytes in
            for line in bytes.split(separator: HTTPSyntax.lineFeed).dropFirst() {
                guard line.last == HTTPSyntax.carriageReturn, let colon = line.firstIndex(of: UInt8(ascii: ":")),
                    name.withUTF8Buffer({ HTTPSyntax.equalsIgnoringCase(line[..<colon], $0) })
                else { continue }
                let field = Array(line)
                let value = field[HTTPSyntax.trimmed(colon - line.startIndex + 1..<field.count - 1, of: field)]
                return value.allSatisfy { (0x21...0x7E).contains($0) } ? String(decoding: value, as: UTF8.self) : nil
            }
            return nil
        }
    }

    private mutating func readHead(
        _ buffer: inout InputBuffer, _ heads: inout HTTPHeadMemory, _ rule: (HTTPRequestHead) -> HTTPBodyRule
    ) throws(HTTPRefusal) -> Action {
        guard let head = try takeHead(&buffer, &heads) else { return .needMore }
        switch rule(head) {
        case .collected: (bodyLimit, streamedBytes) = (limits.bodyBytes, nil)
        case .streamed(let maximumBytes): (bodyLimit, streamedBytes) = (maximumBytes, 0)
        }
        switch head.framing {
        case .none:
            phase = .body(remaining: 0)
        case .length(let length):
            guard length <= bodyLimit else { throw Self.bodyTooLarge }
            phase = .body(remaining: length)
        case .chunked:
            phase = .chunks(HTTPChunkedBody())
        }
        buffer.consume(head.headers.bytes.count)
        return .head(head)
    }

    /// The head, once it is there as a whole; the bytes stay.
    private mutating func takeHead(
        _ buffer: inout InputBuffer, _ heads: inout HTTPHeadMemory
    ) throws(HTTPRefusal) -> HTTPRequestHead? {
        let kept = buffer.withUnsafeBytes { heads.head(in: $0) }
        if let kept, kept.headers.bytes.count <= limits.headBytes { return kept }
        guard let length = try findHead(&buffer) else { return nil }
        let head = try HTTPHeadParser.parse(buffer.withUnsafeBytes(in: 0..<length) { Array($0) })
        heads.note(head)
        return head
    }

    /// The length of the head, once its empty line has come. One empty line before the request is skipped (RFC 9112
    /// section 2.2).
    private mutating func findHead(_ buffer: inout InputBuffer) throws(HTTPRefusal) -> Int? {
        guard case .head(var lines, let isBlankAllowed) = phase else { return nil }
        let limit = limits.headBytes
        let end = try buffer.withUnsafeBytes { (bytes) throws(HTTPRefusal) -> Int? in
            while let line = try lines.next(in: bytes, limit: limit) {
                if line.isEmpty { return line.upperBound + 2 }
            }
            guard bytes.count < limit else { throw HTTPRefusal(status: 431, detail: "head over \(limit) bytes") }
            return nil
        }
        guard end == 2 else {
            phase = .head(lines, isBlankAllowed: isBlankAllowed)
            return end
        }
        guard isBlankAllowed else { throw .badRequest("no request line") }
        buffer.consume(2)
        phase = .head(HTTPLineScanner(), isBlankAllowed: false)
        return try findHead(&buffer)
    }

    private mutating func readBody(_ remaining: Int, from buffer: inout InputBuffer) -> Action {
        let length = min(remaining, buffer.count)
        buffer.withUnsafeBytes(in: 0..<length) { body.append(contentsOf: $0) }
        buffer.consume(length)
        if streamedBytes != nil, length > 0 {
            phase = .body(remaining: remaining - length)
            return part()
        }
        guard length == remaining else {
            phase = .body(remaining: remaining - length)
            return .needMore
        }
        return end()
    }

    /// Gives out the bytes of a streamed body that were read.
    private mutating func part() -> Action {
        defer { body = [] }
        streamedBytes = (streamedBytes ?? 0) + body.count
        return .part(body)
    }

    private mutating func readChunks(
        _ chunks: HTTPChunkedBody, from buffer: inout InputBuffer
    ) throws(HTTPRefusal) -> Action {
        var chunks = chunks
        let isWhole = try chunks.read(from: &buffer, into: &body, maximumBytes: bodyLimit - (streamedBytes ?? 0))
        phase = isWhole ? .body(remaining: 0) : .chunks(chunks)
        if streamedBytes != nil, !body.isEmpty { return part() }
        return isWhole ? end() : .needMore
    }

    private mutating func end() -> Action {
        phase = .start
        streamedBytes = nil
        defer { body = [] }
        return .end(body: body)
    }

    public static var bodyTooLarge: HTTPRefusal {
        HTTPRefusal(status: 413, detail: "body too large")
    }
}
