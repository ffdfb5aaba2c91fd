import Testing

@testable import WireProtocols

@Suite("Heads that are kept")
struct HTTPHeadMemoryTests {
    private var heads = HTTPHeadMemory(capacity: 64)
    private var decoder = HTTPRequestDecoder(.init(bodyBytes: 100))
    private var buffer = InputBuffer()

    private func text(_ number: Int, _ fields: String = "") -> String {
        "GET /\(number)?a=\(number) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n"
    }

    /// The objects of all heads in `input`.
    private mutating func read(_ input: String) -> [HTTPRequestHead] {
        buffer.append(contentsOf: Array(input.utf8))
        var found: [HTTPRequestHead] = []
        while true {
            switch decoder.next(&buffer, heads: &heads, rule: { _ in .collected }) {
            case .head(let head): found.append(head)
            case .end, .part: continue
            case .needMore, .failure: return found
            }
        }
    }

    @Test("A head that came twice is not read again, also in a pipeline")
    mutating func repeated() {
        let first = read(text(1) + text(2) + text(1))
        #expect(first.map(\.target.raw) == ["/1?a=1", "/2?a=2", "/1?a=1"])
        #expect(first[0] !== first[2] && heads.count == 1)
        let later = read(text(2) + text(1) + text(3))
        #expect(later.map(\.target.raw) == ["/2?a=2", "/1?a=1", "/3?a=3"])
        #expect(later[1] === first[2])
    }

    @Test("A head that comes in pieces is found too, and one that differs in a byte is another")
    mutating func pieces() {
        _ = read(text(1) + text(1))
        let kept = read(text(1))[0]
        var found: [HTTPRequestHead] = []
        for byte in text(1).utf8 { found += read(String(UnicodeScalar(byte))) }
        #expect(found.count == 1 && found[0] === kept)
        for index in 0..<text(1).utf8.count {
            var other = Array(text(1).utf8)
            other[index] ^= 1
            let isKept = other.withUnsafeBytes { heads.head(in: $0) } != nil
            #expect(!isKept, "byte \(index)")
        }
    }

    @Test("Bodies stay with their own requests")
    mutating func bodies() {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
        buffer.append(contentsOf: Array((head + "abc" + head + "def" + head + "GET").utf8))
        var bodies: [String] = []
        while true {
            switch decoder.next(&buffer, heads: &heads, rule: { _ in .collected }) {
            case .end(let body): bodies.append(String(decoding: body, as: UTF8.self))
            case .head: continue
            default:
                #expect(bodies == ["abc", "def", "GET"])
                return
            }
        }
    }

    @Test("It holds no more heads than it may, none that is long, none that comes once, and none for ever")
    mutating func bounds() {
        for round in 0..<2 {
            for number in 0..<1000 { _ = read(text(number)) }
            #expect(heads.count <= 64, "round \(round)")
        }
        heads.removeAll()
        #expect(heads.count == 0)
        for number in 0..<20 { _ = read(text(number)) }
        #expect(heads.count == 0)
        let long = text(1, "X: \(String(repeating: "x", count: HTTPHeadMemory.longestHead))\r\n")
        for _ in 0..<3 { #expect(read(long).count == 1) }
        #expect(heads.count == 0)
        var none = HTTPHeadMemory(capacity: 0)
        for _ in 0..<3 { none.note(read(text(1))[0]) }
        #expect(none.count == 0)
    }

    @Test("Nearly all of half as many heads as it may hold are kept, whatever their order")
    mutating func keepsMost() {
        heads = HTTPHeadMemory(capacity: 256)
        for _ in 0..<4 { for number in 0..<128 { _ = read(text(number)) } }
        #expect(heads.count >= 120)
    }

    @Test("Heads that come once take the place of none that is kept, as long as there is another")
    mutating func passersBy() {
        heads = HTTPHeadMemory(capacity: 4)
        for _ in 0..<2 { for number in 0..<3 { _ = read(text(number)) } }
        let kept = heads.count
        for number in 10..<30 { _ = read(text(number)) }
        #expect(kept == 3 && heads.count == 3)
        // Where all are taken, a newcomer still finds its way in.
        for _ in 0..<3 { _ = read(text(40)) }
        for _ in 0..<3 { _ = read(text(41)) }
        let newest = Array(text(41).utf8).withUnsafeBytes { heads.head(in: $0) }
        #expect(newest != nil)
    }

    @Test("A head over the decoder's limit is refused, though it is kept")
    mutating func limits() {
        _ = read(text(1) + text(1) + text(1))
        var strict = HTTPRequestDecoder(.init(headBytes: 10, bodyBytes: 100))
        buffer.append(contentsOf: Array(text(1).utf8))
        guard case .failure(let refusal) = strict.next(&buffer, heads: &heads, rule: { _ in .collected }) else {
            Issue.record("it was taken")
            return
        }
        #expect(refusal.status == 431)
    }
}
