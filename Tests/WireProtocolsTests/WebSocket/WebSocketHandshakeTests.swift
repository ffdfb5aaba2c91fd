import Testing

@testable import WireProtocols

@Suite("WebSocket handshake")
struct WebSocketHandshakeTests {
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    /// SHA-1 of that key and the protocol's GUID, by RFC 6455 section 1.3.
    private static let digest: [UInt8] = [
        0xB3, 0x7A, 0x4F, 0x2C, 0xC0, 0x62, 0x4F, 0x16, 0x90, 0xF6, 0x46, 0x06, 0xCF, 0x38, 0x59, 0x45, 0xB2, 0xBE,
        0xC4, 0xEA,
    ]

    private static let good = [
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
    ]

    /// The outcome of a good request with some fields replaced, or taken out by nil.
    private func handshake(
        _ changes: [String: String?] = [:], line: String = "GET /ws HTTP/1.1", more: String = ""
    ) throws -> WebSocketHandshake {
        var fields: [String: String?] = Self.good
        fields.merge(changes) { $1 }
        let lines = fields.compactMap { name, value in value.map { "\(name): \($0)\r\n" } }.joined()
        let head = try HTTPHeadParser.parse(Array("\(line)\r\nHost: x\r\n\(lines)\(more)\r\n".utf8))
        return try WebSocketHandshake(head, deflate: .init())
    }

    private func status(
        _ changes: [String: String?] = [:], line: String = "GET /ws HTTP/1.1", more: String = ""
    ) -> Int {
        do {
            _ = try handshake(changes, line: line, more: more)
            return 101
        } catch {
            return (error as? HTTPRefusal)?.status ?? 0
        }
    }

    @Test("The example of RFC 6455 section 1.3")
    func standardExample() throws {
        var hashed: [UInt8] = []
        let response = try handshake().response { bytes in
            hashed = bytes
            return Self.digest
        }
        #expect(hashed == Array("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        #expect(response.status == 101)
        #expect(response.fields.contains(HTTPField("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")))
        #expect(!response.fields.contains { $0.name == "Sec-WebSocket-Extensions" })
    }

    @Test("Sub-protocols in the client's order; the chosen one is answered")
    func subprotocols() throws {
        let handshake = try handshake(["Sec-WebSocket-Protocol": "bearer, abc.def"])
        #expect(handshake.subprotocols == ["bearer", "abc.def"])
        let response = handshake.response(subprotocol: "bearer", fields: [HTTPField("X", "y")]) { _ in [] }
        #expect(response.fields.contains(HTTPField("Sec-WebSocket-Protocol", "bearer")))
        #expect(response.fields.last == HTTPField("X", "y"))
        #expect(status(["Sec-WebSocket-Protocol": "a b"]) == 400)
    }

    @Test("Fields are matched whatever their case and among others")
    func leniency() {
        #expect(status(["Connection": "keep-alive, upgrade", "Upgrade": "WebSocket"]) == 101)
        #expect(status(more: "Content-Length: 0\r\n") == 101)
    }

    @Test(
        "Fields that are refused, and with what",
        arguments: [
            ("Sec-WebSocket-Key", nil, 400), ("Sec-WebSocket-Key", "", 400),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZQ==", 400),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZXM9", 400),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ!==", 400),
            ("Sec-WebSocket-Version", nil, 426), ("Sec-WebSocket-Version", "8", 426),
            ("Sec-WebSocket-Version", "13, 8", 426), ("Sec-WebSocket-Version", "013", 426),
            ("Upgrade", nil, 400), ("Upgrade", "h2c", 400), ("Connection", nil, 400), ("Connection", "close", 400),
            ("Sec-WebSocket-Extensions", "permessage-deflate; =", 400), ("Sec-WebSocket-Extensions", "a b", 400),
        ] as [(String, String?, Int)])
    func refusedFields(name: String, value: String?, expected: Int) {
        #expect(status([name: value]) == expected)
    }

    @Test("Other methods, HTTP/1.0, a body and repeated keys are refused")
    func refusedRequests() {
        #expect(status(line: "POST /ws HTTP/1.1") == 400)
        #expect(status(line: "GET /ws HTTP/1.0") == 400)
        #expect(status(more: "Content-Length: 3\r\n") == 400)
        #expect(status(more: "Transfer-Encoding: chunked\r\n") == 400)
        #expect(status(more: "Sec-WebSocket-Key: \(Self.key)\r\n") == 400)
        #expect(status(more: "Sec-WebSocket-Version: 13\r\n") == 426)
    }

    @Test("A wrong version is answered with the right one")
    func rightVersion() {
        #expect {
            try handshake(["Sec-WebSocket-Version": "12"])
        } throws: { error in
            (error as? HTTPRefusal)?.fields == [
                HTTPField("Upgrade", "websocket"), HTTPField("Sec-WebSocket-Version", "13"),
            ]
        }
    }
}
