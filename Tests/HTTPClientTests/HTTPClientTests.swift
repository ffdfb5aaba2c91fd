import Testing

@testable import HTTPClient

@Suite("Requests to other servers")
struct HTTPClientTests {
    /// A port of loopback where nothing listens: it is reserved (RFC 6335 section 6).
    private static let deadServer = "http://127.0.0.1:1/"

    private func failure(_ client: HTTPClient, _ request: HTTPClientRequest) async -> HTTPClientError? {
        do throws(HTTPClientError) {
            _ = try await client.send(request)
            return nil
        } catch { return error }
    }

    @Test("The origin of a URL, with the port of its scheme")
    func origins() {
        #expect(Origin(of: "https://Example.com/a?b") == Origin(of: "https://example.com:443"))
        #expect(Origin(of: "http://example.com/")?.port == "80")
        #expect(Origin(of: "http://[::1]:8080/x")?.host == "[::1]")
        #expect(Origin(of: "http://a.example") != Origin(of: "https://a.example"))
        for url in ["", "file:///etc/passwd", "gopher://example.com", "https://", "https://a b/", "example.com"] {
            #expect(Origin(of: url) == nil, "\(url)")
        }
    }

    @Test("A request that cannot be sent is refused, and one to a dead server fails")
    func failures() async throws {
        let client = try HTTPClient(.init(name: "test"))
        for url in ["file:///etc/passwd", "ftp://127.0.0.1/x", "no url"] {
            guard case .invalidRequest = await failure(client, .init(.get, url)) else {
                Issue.record("\(url) was sent")
                continue
            }
        }
        let split = HTTPClientRequest(.get, Self.deadServer, fields: [("X", "a\r\nY: b")])
        guard case .invalidRequest = await failure(client, split) else {
            Issue.record("a field was split")
            return
        }
        guard case .unreachable(let reason) = await failure(client, .init(.get, Self.deadServer)) else {
            Issue.record("a dead server answered")
            return
        }
        #expect(reason.contains("127.0.0.1:1"))
        await client.close()
    }

    @Test("A closed client takes no request")
    func closed() async throws {
        let client = try HTTPClient(.init(name: "test"))
        await client.close()
        #expect(await failure(client, .init(.get, Self.deadServer)) == .closed)
    }

    @Test("More requests than the client performs at once are refused")
    func bounded() async throws {
        var settings = HTTPClient.Settings(name: "test")
        settings.maximumRequests = 0
        let client = try HTTPClient(settings)
        #expect(await failure(client, .init(.get, Self.deadServer)) == .overloaded)
        await client.close()
    }
}
