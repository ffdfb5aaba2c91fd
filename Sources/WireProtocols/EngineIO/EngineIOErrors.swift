import JSON

/// Why an Engine.IO request is refused: the protocol's numbered errors, as its clients know them.
public enum EngineIORefusal: Int, Error, Sendable, CaseIterable {
    case unknownTransport = 0
    /// No session of that id here: expired, closed, or of another instance.
    case unknownSession
    /// A handshake is a GET.
    case badHandshakeMethod
    /// Also a request over a transport the session has left, and one more where a single one is allowed.
    case badRequest
    /// Not from this origin or this caller.
    case forbidden
    /// Any `EIO` but 4.
    case unsupportedProtocolVersion

    public var message: String {
        switch self {
        case .unknownTransport: "Transport unknown"
        case .unknownSession: "Session ID unknown"
        case .badHandshakeMethod: "Bad handshake method"
        case .badRequest: "Bad request"
        case .forbidden: "Forbidden"
        case .unsupportedProtocolVersion: "Unsupported protocol version"
        }
    }

    public var httpStatus: Int { self == .forbidden ? 403 : 400 }

    /// `{"code":n,"message":"…"}`, of type `application/json`.
    public var body: [UInt8] {
        var writer = JSONWriter(reserving: 64)
        writer.object {
            $0.member("code", rawValue)
            $0.member("message", message)
        }
        return writer.bytes
    }
}

/// Why a session ended.
public enum EngineIOCloseReason: Error, Hashable, Sendable {
    /// The client sent a close packet.
    case clientClosed
    case serverClosed
    /// The WebSocket, or a request under way, went away.
    case transportClosed
    /// No pong within `pingTimeout` of a ping.
    case pingTimeout
    case malformed(EngineIOPacketError)
    /// A type no client sends here: open, ping, or upgrade outside a probe.
    case unexpectedPacket(EngineIOPacketType)
    /// A second GET while one was held, or a second POST while one was under way.
    case overlappingRequests

    /// In a few words, for a log.
    public var text: String {
        switch self {
        case .clientClosed: "closed by the client"
        case .serverClosed: "closed by the server"
        case .transportClosed: "connection lost"
        case .pingTimeout: "no pong in time"
        case .malformed: "malformed packet"
        case .unexpectedPacket: "unexpected packet"
        case .overlappingRequests: "overlapping requests"
        }
    }

    /// The answer to the request that caused it; nil when that is the ordinary answer.
    public var refusal: EngineIORefusal? {
        switch self {
        case .malformed, .unexpectedPacket, .overlappingRequests: .badRequest
        case .clientClosed, .serverClosed, .transportClosed, .pingTimeout: nil
        }
    }
}

/// Why a WebSocket may not, or may no longer, take a polling session over. The session itself continues.
public enum EngineIOProbeRefusal: Error, Hashable, Sendable {
    case upgradesNotAllowed
    case upgradeInProgress
    case alreadyUpgraded
    case sessionClosed
    /// The upgrade packet came before `2probe`.
    case upgradeWithoutProbe
    /// Anything else than `2probe` and `5`.
    case notAProbe
}
