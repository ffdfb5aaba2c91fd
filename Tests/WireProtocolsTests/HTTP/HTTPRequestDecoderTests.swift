import Testing

@testable import WireProtocols

@Suite("HTTP request decoder")
struct HTTPRequestDecoderTests {
    @Test("A request without a body, and a pipelined one behind it")
    func pipelining() {
        let input = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiGET "
        #expect(observe(input) == [.head("GET", "/a"), .end(""), .head("POST", "/b"), .end("hi")])
    }

    @Test("After the head the caller may take over what is left in the buffer")
    func takeover() {
        var buffer = InputBuffer()
        buffer.append(contentsOf: Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n\u{81}frames".utf8))
        var decoder = HTTPRequestDecoder(.init(bodyBytes: 0))
        guard case .head = decoder.next(&buffer) else {
            Issue.record("no head")
            return
        }
        #expect(buffer.takeRemainder() == Array("\u{81}frames".utf8))
    }

    @Test("One empty line before a request is skipped, two are not")
    func leadingEmptyLine() {
        let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        #expect(observe("\r\n" + request + "\r\n" + request).count == 4)
        #expect(observe("\r\n\r\n" + request) == [.failure(400)])
    }

    @Test("A chunked body with extensions and trailer fields")
    func chunked() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        let body = "5\r\nhello\r\n006 ;a=\"b\"\r\n world\r\n0;last\r\nX-Sum: 1\r\nY:\r\n\r\n"
        #expect(observe(head + body + "GET / HTTP/1.1\r\n") == [.head("POST", "/"), .end("hello world")])
        #expect(observe(head + "0\r\n\r\n") == [.head("POST", "/"), .end("")])
    }

    @Test(
        "Heads that are refused, and with what",
        arguments: [
            ("bare line feeds", "GET / HTTP/1.1\nHost: x\n\n", 400),
            ("a bare line feed at the end", "GET / HTTP/1.1\r\nHost: x\r\n\n", 400),
            ("a bare carriage return", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400),
            ("two carriage returns", "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n", 400),
            ("a folded field", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
            ("a field folded by a tab", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n", 400),
            ("a blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
            ("a field without a name", "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
            ("a field without a colon", "GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n", 400),
            ("NUL in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
            ("a control character in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: \u{7F}\r\n\r\n", 400),
            ("no method", " / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a method that is no token", "G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("two blanks", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("no version", "GET /\r\n\r\n", 400),
            ("a blank at the end of the line", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
            ("a target that is not visible ASCII", "GET /ü HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a control character in the target", "GET /\u{1} HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a relative target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("an absolute target without a host", "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a target for proxies", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("an asterisk for GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("another protocol", "GET / HTTQ/1.1\r\nHost: x\r\n\r\n", 400),
            ("a lowercase protocol", "GET / http/1.1\r\nHost: x\r\n\r\n", 400),
            ("a version of two digits", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400),
            ("HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
            ("HTTP/0.9", "GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505),
            ("no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400),
            ("two Hosts", "GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", 400),
            ("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\nhost: x\r\n\r\n", 400),
            ("a Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
            ("a Host with credentials", "GET / HTTP/1.1\r\nHost: a@x\r\n\r\n", 400),
            ("an unknown expectation", "GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n", 417),
        ])
    func refusedHeads(name: String, input: String, status: Int) {
        #expect(observe(input) == [.failure(status)], "\(name)")
    }

    @Test(
        "Fields about the body that are refused",
        arguments: [
            "Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 0",
            "Content-Length: 3\r\nContent-Length: 3", "Content-Length: 3\r\nContent-Length: 4", "Content-Length: 3, 3",
            "Content-Length: -1", "Content-Length: +1", "Content-Length: 0x3", "Content-Length: 3 3", "Content-Length:",
            "Content-Length: 99999999999999999999", "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity", "Transfer-Encoding:",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked;q=1",
        ])
    func refusedFraming(fields: String) {
        #expect(observe("POST / HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\r\nabc") == [.failure(400)])
    }

    @Test("Transfer-Encoding is unknown to HTTP/1.0")
    func transferEncodingInHTTP10() {
        #expect(observe("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == [.failure(400)])
    }

    @Test(
        "Chunked bodies that are refused",
        arguments: [
            ("no size", "\r\n", 400), ("no hexadecimal size", "g\r\n", 400), ("a signed size", "-1\r\n", 400),
            ("a prefixed size", "0x1\r\na\r\n", 400), ("an enormous size", "FFFFFFFFFFFFFFFFF\r\n", 400),
            ("a blank behind the size", "1 \r\na\r\n", 400), ("a blank before the size", " 1\r\na\r\n", 400),
            ("a bare line feed behind the size", "1\na\r\n", 400), ("a chunk longer than its size", "1\r\nab\r\n", 400),
            ("a chunk that ends in a bare line feed", "1\r\na\n", 400), ("only an extension", ";a\r\n", 400),
            ("a control character in an extension", "1;\u{1}\r\na\r\n", 400),
            ("an endless extension", "1;" + String(repeating: "a", count: 300), 400),
            ("a malformed trailer", "0\r\nbroken\r\n\r\n", 400), ("a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", 400),
            ("too many trailers", "0\r\n" + String(repeating: "A: b\r\n", count: 800), 431),
            ("an endless trailer", "0\r\nA: " + String(repeating: "b", count: 5000), 431),
        ])
    func refusedChunks(name: String, body: String, status: Int) {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(observe(head + body, splits: 400) == [.head("POST", "/"), .failure(status)], "\(name)")
    }
}
