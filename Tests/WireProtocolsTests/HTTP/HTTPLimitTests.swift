import Testing

@testable import WireProtocols

@Suite("HTTP limits")
struct HTTPLimitTests {
    @Test("A head may have as many bytes as the limit, and not one more")
    func headLength() {
        let frame = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n"
        let fits =
            "GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: "a", count: 200 - frame.utf8.count) + "\r\n\r\n"
        #expect(observe(fits, headBytes: 200) == [.head("GET", "/"), .end("")])
        #expect(observe(fits, headBytes: 199) == [.failure(431)])
    }

    @Test("A head or a target over 16 KiB is refused before its end has come")
    func defaultHeadLength() {
        let long = String(repeating: "a", count: 17_000)
        #expect(observe("GET /" + long, splits: 20) == [.failure(431)])
        #expect(observe("GET / HTTP/1.1\r\nA: " + long, splits: 20) == [.failure(431)])
    }

    @Test("The number of fields is limited")
    func fieldCount() {
        let most = String(repeating: "A: b\r\n", count: HTTPHeadParser.maximumFields - 1)
        #expect(observe("GET / HTTP/1.1\r\nHost: x\r\n" + most + "\r\n", splits: 50).count == 2)
        #expect(observe("GET / HTTP/1.1\r\nHost: x\r\nC: d\r\n" + most + "\r\n", splits: 50) == [.failure(431)])
    }

    @Test("A body announced over the limit is refused with the head")
    func announcedBody() {
        #expect(
            observe("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd", bodyBytes: 4).last == .end("abcd"))
        #expect(observe("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", bodyBytes: 4) == [.failure(413)])
    }

    @Test("A chunked body is refused by the chunk that would pass the limit, before its bytes")
    func chunkedBody() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(observe(head + "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", bodyBytes: 4) == [.head("POST", "/"), .end("abcd")])
        #expect(observe(head + "3\r\nabc\r\n2\r\n", bodyBytes: 4) == [.head("POST", "/"), .failure(413)])
        #expect(observe(head + "7FFFFFFFFFFFFFFF\r\n", bodyBytes: 4) == [.head("POST", "/"), .failure(413)])
    }

    @Test("A refusal says which page sent the request, as far as it was read")
    func refusedOrigin() {
        func refusal(_ text: String) -> HTTPRefusal? {
            var decoder = HTTPRequestDecoder(.init(headBytes: 200, bodyBytes: 4))
            var buffer = InputBuffer()
            buffer.append(contentsOf: Array(text.utf8))
            guard case .failure(let refusal) = decoder.next(&buffer) else { return nil }
            return refusal
        }
        let fields = "Host: x:80\r\norigin:  https://a.test \r\n"
        let long = String(repeating: "a", count: 300)
        let refusals = [
            (431, refusal("GET / HTTP/1.1\r\n\(fields)Cookie: \(long)")),
            (413, refusal("POST / HTTP/1.1\r\n\(fields)Content-Length: 5\r\n\r\n")),
            (400, refusal("GET / HTTP/1.1\r\n\(fields)Broken\r\n\r\n")),
        ]
        for (status, refusal) in refusals {
            #expect(refusal?.status == status)
            #expect(refusal?.origin == "https://a.test")
            #expect(refusal?.host == "x:80")
        }
        #expect(refusal("GET / HTTP/1.1\r\nOrigin: https://a\(long)")?.origin == nil)
        #expect(refusal("GET / HTTP/1.1\r\nOrigin: https://a\u{1}\r\n\(long)")?.origin == nil)
        #expect(refusal("Origin: https://a\r\n\r\n")?.origin == nil)
    }

    @Test("After a refusal nothing more is read")
    func afterRefusal() {
        let input = "BROKEN\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
        #expect(observe(input) == [.failure(400)])
    }

    @Test("A request counts as under way from its first byte to its last")
    func midRequest() {
        var decoder = HTTPRequestDecoder(.init(bodyBytes: 10))
        var buffer = InputBuffer()
        #expect(!decoder.isMidRequest(buffer))
        buffer.append(contentsOf: Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na".utf8))
        #expect(decoder.isMidRequest(buffer))
        _ = decoder.next(&buffer)
        _ = decoder.next(&buffer)
        #expect(buffer.isEmpty)
        #expect(decoder.isMidRequest(buffer))
        buffer.append(contentsOf: Array("b".utf8))
        _ = decoder.next(&buffer)
        #expect(!decoder.isMidRequest(buffer))
    }
}
