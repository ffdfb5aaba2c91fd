import Testing

@testable import WireProtocols

@Suite("Streamed bodies of HTTP requests")
struct HTTPStreamedBodyTests {
    @Test("A body comes in parts, however it is framed and cut")
    func parts() {
        let plain = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789"
        let chunked =
            "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\nA: b\r\n\r\n"
        for (path, text) in [("/a", plain), ("/b", chunked)] {
            for cut in 1...text.utf8.count {
                #expect(
                    decode(text, cutAt: cut) == [.head("POST", path), .part("0123456789"), .end("")], "cut at \(cut)")
            }
        }
    }

    @Test("A request behind a streamed one is read as usual")
    func pipelined() {
        let text = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: x\r\n\r\n"
        for cut in 1...text.utf8.count {
            #expect(
                decode(text, cutAt: cut) == [.head("POST", "/a"), .part("abc"), .end(""), .head("GET", "/b"), .end("")])
        }
    }

    @Test("A streamed body has a limit of its own, by its length or by the count of its bytes")
    func limits() {
        let announced = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        #expect(decode(announced + "123456789", limit: 9) == [.head("POST", "/"), .part("123456789"), .end("")])
        #expect(decode(announced, limit: 8) == [.failure(413)])
        let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n"
        #expect(decode(chunked + "4\r\nefgh\r\n0\r\n\r\n", limit: 8).last == .end(""))
        for cut in 1...(chunked.utf8.count + 3) {
            #expect(decode(chunked + "5\r\nefghi", limit: 8, cutAt: cut).last == .failure(413), "cut at \(cut)")
        }
        #expect(decode(chunked + "7FFFFFFFFFFFFFFF\r\n", limit: 8).last == .failure(413))
    }

    private func decode(_ text: String, limit: Int = 100, cutAt cut: Int = .max) -> [HTTPObservation] {
        var decoder = HTTPRequestDecoder(.init(bodyBytes: 4))
        var buffer = InputBuffer()
        var seen: [HTTPObservation] = []
        let bytes = Array(text.utf8)
        for piece in [bytes.prefix(cut), bytes.dropFirst(cut)] {
            buffer.append(contentsOf: Array(piece))
            while let next = HTTPObservation(decoder.next(&buffer, rule: { _ in .streamed(maximumBytes: limit) })) {
                if case .part(let part) = next, case .part(let before)? = seen.last {
                    seen[seen.count - 1] = .part(before + part)
                } else {
                    seen.append(next)
                }
                if case .failure = next { return seen }
            }
        }
        return seen
    }
}
