import Testing
import WireProtocols

@Suite struct EngineIORequestTests {
    private func classify(
        _ query: String, method: String = "GET", webSocket: Bool = false
    ) throws(EngineIORefusal) -> EngineIORequest {
        try EngineIORequest(method: method, query: query, isWebSocketUpgrade: webSocket)
    }

    @Test func requestsAreTold() throws {
        #expect(try classify("EIO=4&transport=polling&t=Oabc") == .handshakePolling)
        #expect(try classify("EIO=4&transport=polling&b64=1") == .handshakePolling)
        #expect(try classify("EIO=4&transport=polling&sid=") == .handshakePolling)
        #expect(try classify("transport=websocket&EIO=4", webSocket: true) == .handshakeWebSocket)
        #expect(try classify("EIO=4&transport=polling&sid=a1-X_y") == .poll(sid: "a1-X_y"))
        #expect(try classify("EIO=4&transport=polling&sid=a1", method: "POST") == .post(sid: "a1"))
        #expect(try classify("EIO=4&transport=websocket&sid=a1", webSocket: true) == .upgrade(sid: "a1"))
    }

    @Test(arguments: ["EIO=4", "EIO=4&transport=abc", "EIO=4&transport=webtransport", "", "&&=&", "EIO=4&transport"])
    func unknownTransport(query: String) {
        #expect(throws: EngineIORefusal.unknownTransport) { try classify(query) }
        #expect(throws: EngineIORefusal.unknownTransport) { try classify(query, webSocket: true) }
    }

    @Test(arguments: [
        "transport=polling", "EIO=3&transport=polling", "EIO=abc&transport=polling", "EIO=&transport=polling",
    ])
    func unsupportedVersion(query: String) {
        #expect(throws: EngineIORefusal.unsupportedProtocolVersion) { try classify(query) }
    }

    @Test func unsupportedVersionOverWebSocket() {
        #expect(throws: EngineIORefusal.unsupportedProtocolVersion) {
            try classify("EIO=3&transport=websocket", webSocket: true)
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "HEAD"])
    func handshakesAreGETs(method: String) {
        #expect(throws: EngineIORefusal.badHandshakeMethod) { try classify("EIO=4&transport=polling", method: method) }
    }

    @Test func transportAndHeadersMustAgree() {
        #expect(throws: EngineIORefusal.badRequest) { try classify("EIO=4&transport=websocket") }
        #expect(throws: EngineIORefusal.badRequest) { try classify("EIO=4&transport=polling", webSocket: true) }
        #expect(throws: EngineIORefusal.badRequest) { try classify("EIO=4&transport=websocket&sid=a1") }
        #expect(throws: EngineIORefusal.badRequest) { try classify("EIO=4&transport=polling&sid=a1", method: "PUT") }
        #expect(throws: EngineIORefusal.badRequest) {
            try classify("EIO=4&transport=websocket&sid=a1", method: "POST", webSocket: true)
        }
    }

    @Test(arguments: ["sid=a&sid=b", "transport=polling&transport=websocket", "EIO=4&EIO=4"])
    func aParameterGivenTwiceIsAmbiguous(pair: String) {
        #expect(throws: EngineIORefusal.badRequest) { try classify("EIO=4&transport=polling&" + pair) }
    }

    @Test func anEndlessSIDIsUnknown() {
        let sid = String(repeating: "a", count: 129)
        #expect(throws: EngineIORefusal.unknownSession) { try classify("EIO=4&transport=polling&sid=\(sid)") }
    }

    @Test(arguments: [
        (EngineIORefusal.unknownTransport, 400, #"{"code":0,"message":"Transport unknown"}"#),
        (.unknownSession, 400, #"{"code":1,"message":"Session ID unknown"}"#),
        (.badHandshakeMethod, 400, #"{"code":2,"message":"Bad handshake method"}"#),
        (.badRequest, 400, #"{"code":3,"message":"Bad request"}"#),
        (.forbidden, 403, #"{"code":4,"message":"Forbidden"}"#),
        (.unsupportedProtocolVersion, 400, #"{"code":5,"message":"Unsupported protocol version"}"#),
    ])
    func errorsAreTheProtocols(refusal: EngineIORefusal, status: Int, body: String) {
        #expect(refusal.httpStatus == status)
        #expect(String(decoding: refusal.body, as: UTF8.self) == body)
    }
}
