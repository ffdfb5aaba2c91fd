import Testing

@testable import WireProtocols

@Suite("HTTP responses")
struct HTTPResponseTests {
    private let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    private func text(_ response: HTTPResponse, keepsAlive: Bool = true, isHead: Bool = false) -> String {
        String(
            decoding: HTTPResponseEncoder.encode(response, date: date, keepsAlive: keepsAlive, isHead: isHead),
            as: UTF8.self)
    }

    @Test("A response to the byte")
    func complete() {
        let response = HTTPResponse(
            status: 200, fields: [HTTPField("Content-Type", "text/plain")], body: Array("hi".utf8))
        let head =
            "HTTP/1.1 200 OK\r\nDate: \(date)\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\n"
            + "Content-Length: 2\r\n\r\n"
        #expect(text(response) == head + "hi")
        #expect(text(response, isHead: true) == head)
        #expect(text(response, keepsAlive: false).contains("\r\nConnection: close\r\n"))
    }

    @Test("204, 304 and 101 have neither a body nor a length", arguments: [204, 304, 101])
    func bodiless(status: Int) {
        let text = text(HTTPResponse(status: status, body: Array("hi".utf8)))
        #expect(text.hasSuffix("\r\n\r\n"))
        #expect(!text.contains("Content-Length"))
    }

    @Test("Nothing in a field can end its line, and the encoder's own fields are not written twice")
    func hostileFields() {
        let fields = [
            HTTPField("X", "a\r\nSet-Cookie: b\0"), HTTPField("bad name", "c"), HTTPField("Y\r\nZ", "d"),
            HTTPField("", "e"), HTTPField("content-length", "7"), HTTPField("Transfer-Encoding", "chunked"),
        ]
        let lines = text(HTTPResponse(status: 400, fields: fields)).split(separator: "\r\n").dropFirst()
        #expect(
            Array(lines) == [
                "Date: \(date)", "X: aSet-Cookie: b", "Connection: keep-alive", "Content-Length: 0",
            ])
    }

    @Test("Upgrade is named in Connection")
    func upgrade() {
        let upgrade = [HTTPField("Upgrade", "websocket")]
        #expect(text(HTTPResponse(status: 101, fields: upgrade)).contains("\r\nConnection: Upgrade\r\n"))
        let required = text(HTTPResponse(status: 426, fields: upgrade), keepsAlive: false)
        #expect(required.contains("\r\nConnection: Upgrade, close\r\n"))
        #expect(required.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
    }

    @Test("Common fields stand behind the response's own, as if they were some of them")
    func commonFields() {
        let (own, common) = (
            [HTTPField("ETag", "\"1\"")], [HTTPField("X", "a\r\nb"), HTTPField("Date", "d"), HTTPField("Y", "")]
        )
        var response = HTTPResponse(status: 200, fields: own, body: Array("hi".utf8))
        response.commonFields = HTTPFieldBlock(common)
        #expect(text(response) == text(HTTPResponse(status: 200, fields: own + common, body: Array("hi".utf8))))
        #expect(text(response).contains("\r\nETag: \"1\"\r\nX: ab\r\nY: \r\nConnection: keep-alive\r\n"))
    }

    @Test("A long body is not copied behind its head", arguments: [0, 1, HTTPResponseEncoder.shortBody, 5000])
    func parts(bytes: Int) {
        let response = HTTPResponse(status: 200, body: [UInt8](repeating: 1, count: bytes))
        let parts = HTTPResponseEncoder.parts(of: response, date: date, keepsAlive: true)
        #expect(parts.body.count == (bytes > HTTPResponseEncoder.shortBody ? bytes : 0))
        #expect(parts.beginning + parts.body == HTTPResponseEncoder.encode(response, date: date, keepsAlive: true))
        let head = HTTPResponseEncoder.parts(of: response, date: date, keepsAlive: true, isHead: true)
        #expect(head.body.isEmpty && head.beginning.suffix(4) == Array("\r\n\r\n".utf8))
    }
}
