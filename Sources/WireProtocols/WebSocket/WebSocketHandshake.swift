import JSON

/// A valid request to become a WebSocket (RFC 6455 section 4.2).
public struct WebSocketHandshake: Sendable, Equatable {
    /// The version of the protocol that is spoken.
    static let version = "13"

    /// The client's key as it came.
    public let key: String
    /// The sub-protocols the client offers, in its order of preference.
    public let subprotocols: [String]
    /// The answer to an offer of sub-protocols: `bearer`, behind which clients send a token, else the first. Browsers end a
    /// connection whose offer was not answered (RFC 6455 section 4.1).
    public var subprotocol: String? { subprotocols.contains("bearer") ? "bearer" : subprotocols.first }
    /// The compression agreed on; nil for none.
    public let deflate: PerMessageDeflate?

    /// Checks a request for a WebSocket.
    /// - Parameters:
    ///   - head: the request; its body must not have been read.
    ///   - policy: the server's terms for permessage-deflate; nil declines every offer of it.
    /// - Throws: 426 when the version is missing or not 13, 400 for anything else that is wrong.
    public init(_ head: HTTPRequestHead, deflate policy: PerMessageDeflate.Policy?) throws(HTTPRefusal) {
        guard head.method == "GET" else { throw .badRequest("a WebSocket is asked for with GET") }
        guard head.version == .http11 else { throw .badRequest("a WebSocket is asked for over HTTP/1.1") }
        guard head.asksToUpgrade(to: "websocket"), head.headers.contains(token: "upgrade", in: "Connection") else {
            throw .badRequest("no upgrade to websocket")
        }
        guard head.framing == .none else { throw .badRequest("a request for a WebSocket has no body") }
        guard head.headers.values(of: "Sec-WebSocket-Version") == [Self.version] else { throw Self.wrongVersion }
        key = try Self.key(in: head)
        subprotocols = try Self.subprotocols(in: head)
        let offers = try Self.extensions(in: head)
        deflate = policy.flatMap { PerMessageDeflate.agree(on: offers, policy: $0) }
    }

    /// The response that makes the connection a WebSocket.
    /// - Parameters:
    ///   - subprotocol: the one chosen out of `subprotocols`.
    ///   - fields: more fields for the response.
    ///   - sha1: SHA-1 of some bytes, 20 bytes.
    public func response(
        subprotocol: String? = nil, fields: [HTTPField] = [], sha1: ([UInt8]) -> [UInt8]
    ) -> HTTPResponse {
        var all = [
            HTTPField("Upgrade", "websocket"),
            HTTPField("Sec-WebSocket-Accept", Self.acceptValue(forKey: key, sha1: sha1)),
        ]
        if let subprotocol { all.append(HTTPField("Sec-WebSocket-Protocol", subprotocol)) }
        if let deflate { all.append(HTTPField("Sec-WebSocket-Extensions", deflate.headerValue)) }
        return HTTPResponse(status: 101, fields: all + fields)
    }

    /// The answer to a client's key (RFC 6455 section 4.2.2).
    public static func acceptValue(forKey key: String, sha1: ([UInt8]) -> [UInt8]) -> String {
        let digest = sha1(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return String(decoding: Base64.encode(digest), as: UTF8.self)
    }

    private static var wrongVersion: HTTPRefusal {
        HTTPRefusal(
            status: 426, detail: "only version \(version) of the WebSocket protocol is spoken here",
            fields: [HTTPField("Upgrade", "websocket"), HTTPField("Sec-WebSocket-Version", version)])
    }

    private static func key(in head: HTTPRequestHead) throws(HTTPRefusal) -> String {
        let keys = head.headers.values(of: "Sec-WebSocket-Key")
        guard keys.count == 1, Base64.decode(keys[0].utf8)?.count == 16 else {
            throw .badRequest("Sec-WebSocket-Key has to be given once, 16 bytes in base64")
        }
        return keys[0]
    }

    private static func subprotocols(in head: HTTPRequestHead) throws(HTTPRefusal) -> [String] {
        let subprotocols = head.headers.listMembers(of: "Sec-WebSocket-Protocol")
        guard subprotocols.allSatisfy({ HTTPSyntax.isToken($0.utf8) }) else {
            throw .badRequest("malformed Sec-WebSocket-Protocol")
        }
        return subprotocols
    }

    private static func extensions(in head: HTTPRequestHead) throws(HTTPRefusal) -> [WebSocketExtensionOffer] {
        var offers: [WebSocketExtensionOffer] = []
        for value in head.headers.values(of: "Sec-WebSocket-Extensions") {
            guard let more = WebSocketExtensionOffer.parse(value) else {
                throw .badRequest("malformed Sec-WebSocket-Extensions")
            }
            offers += more
        }
        return offers
    }
}
