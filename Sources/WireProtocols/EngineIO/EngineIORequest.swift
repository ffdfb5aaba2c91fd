/// The kind of an HTTP request to the Engine.IO path, judged by its method, query and headers alone.
public enum EngineIORequest: Hashable, Sendable {
    case handshakePolling
    case handshakeWebSocket
    /// A GET that waits for packets.
    case poll(sid: String)
    case post(sid: String)
    /// A WebSocket for a session that polls.
    case upgrade(sid: String)

    static let maximumSIDBytes = 128

    /// - Parameters:
    ///   - method: of the request line, as it is. `OPTIONS` belongs to CORS and never comes here.
    ///   - query: behind the `?`, as it is. Unknown parameters (`t`, `b64`) are ignored; a known one given twice is
    ///     refused, since a balancer may have routed by the other value.
    ///   - isWebSocketUpgrade: whether the request carries a WebSocket handshake.
    /// - Throws: all of the protocol's errors but `forbidden`, which the caller decides.
    public init(
        method: String, query: some StringProtocol, isWebSocketUpgrade: Bool
    ) throws(EngineIORefusal) {
        let parameters = try Parameters(query)
        guard let isWebSocket = parameters.isWebSocketTransport else { throw .unknownTransport }
        // A WebSocket handshake names the websocket transport, and nothing else does.
        let isConsistent = isWebSocket == isWebSocketUpgrade
        if let sid = parameters.sid, !sid.isEmpty {
            guard sid.utf8.count <= Self.maximumSIDBytes else { throw .unknownSession }
            guard isConsistent else { throw .badRequest }
            switch (method, isWebSocket) {
            case ("GET", true): self = .upgrade(sid: sid)
            case ("GET", false): self = .poll(sid: sid)
            case ("POST", false): self = .post(sid: sid)
            default: throw .badRequest
            }
        } else {
            guard method == "GET" else { throw .badHandshakeMethod }
            guard isConsistent else { throw .badRequest }
            guard parameters.version == "4" else { throw .unsupportedProtocolVersion }
            self = isWebSocket ? .handshakeWebSocket : .handshakePolling
        }
    }

    /// The query's parameters that matter. Their values need no percent-decoding: a client that encodes one of these
    /// plain words means another.
    private struct Parameters {
        var transport: String?
        var sid: String?
        var version: String?

        var isWebSocketTransport: Bool? {
            switch transport {
            case "polling": false
            case "websocket": true
            default: nil
            }
        }

        init(_ query: some StringProtocol) throws(EngineIORefusal) {
            for pair in query.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let value = parts.count > 1 ? String(parts[1]) : ""
                switch parts[0] {
                case "transport": try Self.set(&transport, value)
                case "sid": try Self.set(&sid, value)
                case "EIO": try Self.set(&version, value)
                default: break
                }
            }
        }

        private static func set(_ parameter: inout String?, _ value: String) throws(EngineIORefusal) {
            guard parameter == nil else { throw .badRequest }
            parameter = value
        }
    }
}
