import Testing

@testable import WireProtocols

@Suite("HTTP request head")
struct HTTPRequestHeadTests {
    @Test("Fields keep their order and their case, and are found whatever the case")
    func headers() throws {
        let head = try requestHead("GET / HTTP/1.1", "X-One:  1 ", "x-two:\t2", "X-ONE: 3", "Empty:")
        #expect(head.headers.map(\.name) == ["Host", "X-One", "x-two", "X-ONE", "Empty"])
        #expect(head.headers["x-one"] == "1")
        #expect(head.headers.values(of: "X-One") == ["1", "3"])
        #expect(head.headers["empty"] == "")
        #expect(head.headers["absent"] == nil)
        #expect(head.headers.contains(name: "X-Two"))
    }

    @Test("Lists are read across fields, empty members left out")
    func lists() throws {
        let head = try requestHead("GET / HTTP/1.1", "Connection: keep-alive , Upgrade,,", "Connection: x")
        #expect(head.headers.listMembers(of: "connection") == ["keep-alive", "Upgrade", "x"])
        #expect(head.headers.contains(token: "upgrade", in: "Connection"))
        #expect(!head.headers.contains(token: "up", in: "Connection"))
    }

    @Test(
        "Whether the connection stays open",
        arguments: [
            ("GET / HTTP/1.1", "A: b", true), ("GET / HTTP/1.1", "Connection: close", false),
            ("GET / HTTP/1.1", "Connection: x, CLOSE", false), ("GET / HTTP/1.0", "A: b", false),
            ("GET / HTTP/1.0", "Connection: Keep-Alive", true),
            ("GET / HTTP/1.0", "Connection: keep-alive, close", false),
        ])
    func keepAlive(line: String, field: String, expected: Bool) throws {
        #expect(try requestHead(line, field).keepsAlive == expected)
    }

    @Test("100-continue counts in HTTP/1.1 and with a body only")
    func expectations() throws {
        #expect(try requestHead("PUT / HTTP/1.1", "Expect: 100-Continue", "Content-Length: 3").expectsContinue)
        #expect(try !requestHead("PUT / HTTP/1.1", "Expect: 100-continue", "Content-Length: 0").expectsContinue)
        #expect(try !requestHead("PUT / HTTP/1.0", "Expect: 100-continue", "Content-Length: 3").expectsContinue)
    }

    @Test("HTTP/1.0 needs no Host")
    func versions() throws {
        #expect(try requestHead("GET / HTTP/1.0", host: false).version == .http10)
        #expect(try requestHead("GET / HTTP/1.1").version == .http11)
    }

    @Test(
        "Targets in their forms",
        arguments: [
            ("/", "/", nil), ("/a/b?c=d?e", "/a/b", "c=d?e"), ("/?", "/", ""), ("http://h:1/p?q", "/p", "q"),
            ("HTTP://h", "/", nil), ("https://h?q", "/", "q"), ("//h/p", "//h/p", nil),
        ] as [(String, String, String?)])
    func targets(raw: String, path: String, query: String?) throws {
        let target = try requestHead("GET \(raw) HTTP/1.1").target
        #expect(target.raw == raw)
        #expect(target.rawPath == path)
        #expect(target.rawQuery == query)
    }

    @Test("OPTIONS may ask about the whole server")
    func asterisk() throws {
        #expect(try requestHead("OPTIONS * HTTP/1.1").target.rawPath == "*")
    }

    @Test("Percent-encoding in paths; an encoded slash stays within its segment")
    func paths() throws {
        let target = try requestHead("GET /a%2Fb/%C3%BC+/ HTTP/1.1").target
        #expect(target.path == "/a/b/ü+/")
        #expect(target.pathSegments == ["a/b", "ü+", ""])
        for malformed in ["/%", "/%4", "/%zz", "/%ff", "/a%2/b"] {
            let target = try requestHead("GET \(malformed) HTTP/1.1").target
            #expect(target.path == nil)
            #expect(target.pathSegments == nil)
        }
    }

    @Test("Query items, decoded, in order")
    func queries() throws {
        let head = try requestHead("GET /?a=1&b=x+y%26z&a=2&c&=d&&e=f=g HTTP/1.1")
        let expected = [("a", "1"), ("b", "x y&z"), ("a", "2"), ("c", ""), ("", "d"), ("e", "f=g")]
        #expect(head.target.queryItems == expected.map(HTTPField.init))
        #expect(head.queryValue("a") == "1")
        #expect(head.queryValue("z") == nil)
        #expect(try requestHead("GET / HTTP/1.1").target.queryItems == [])
        #expect(try requestHead("GET /?a=%f HTTP/1.1").target.queryItems == nil)
        #expect(try requestHead("GET /?%80=1 HTTP/1.1").queryValue("a") == nil)
    }
}
