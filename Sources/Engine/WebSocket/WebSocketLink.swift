import Compression
import WireProtocols

/// The WebSocket side of a connection (RFC 6455): messages, control frames, liveness, the closing handshake. Does no I/O and
/// sets no timer; each method returns what the connection has to do.
final class WebSocketLink {
    enum Step {
        /// More bytes are needed.
        case needMore
        /// A whole message, inflated.
        case message(WebSocketDecoder.MessageKind, WebSocketDecoder.Payload)
        /// A frame to be sent.
        case reply([UInt8])
        case nothing
        /// The peer closes: its code is echoed.
        case peerClosed(code: UInt16?)
        /// The peer broke the protocol: the connection closes with this code.
        case violation(code: UInt16, reason: String)
    }

    /// The connection's next step when its timer fires.
    enum Liveness: Equatable {
        /// Bytes came from the peer, or its silence has another cause: check again after this span.
        case wait(Duration)
        /// Ask the peer for a sign of life, and look again after the time for a pong.
        case ping
        /// The peer has not answered a ping.
        case dead
    }

    private var decoder: WebSocketDecoder
    /// When the peer was last pinged, in monotonic milliseconds.
    private var pinged: Int64?
    /// The code of the close frame that was sent.
    private(set) var closeCode: UInt16?

    /// - Parameter deflates: whether the peer may compress messages (RFC 7692).
    init(maximumMessageBytes: Int, deflates: Bool) {
        decoder = WebSocketDecoder(.init(maximumMessageBytes: maximumMessageBytes, acceptsCompressed: deflates))
    }

    // MARK: Reading

    /// Reads one frame's or message's step.
    func next(_ input: inout InputBuffer, inflater: Inflater) -> Step {
        guard let event = decoder.next(&input) else { return .needMore }
        switch event {
        case .message(let kind, let isCompressed, let payload):
            return isCompressed ? inflate(payload, kind, in: input, by: inflater) : .message(kind, payload)
        case .ping(let payload):
            var pong: [UInt8] = []
            WebSocketEncoder.append(.pong, payload: payload, to: &pong)
            return .reply(pong)
        case .pong: return .nothing
        case .close(let code, _): return .peerClosed(code: code)
        case .failure(let code, let reason): return .violation(code: code, reason: reason)
        }
    }

    private func inflate(
        _ payload: WebSocketDecoder.Payload, _ kind: WebSocketDecoder.MessageKind, in input: borrowing InputBuffer,
        by inflater: Inflater
    ) -> Step {
        let limit = decoder.configuration.maximumMessageBytes
        let result =
            switch payload {
            case .slice(let slice): input.withUnsafeBytes(of: slice) { inflater.inflate($0, limit: limit) }
            case .assembled(let bytes): bytes.withUnsafeBytes { inflater.inflate($0, limit: limit) }
            }
        switch result {
        case .message(let bytes):
            guard kind == .binary || UTF8Validator.isValid(bytes) else {
                return .violation(code: 1007, reason: "text is not UTF-8")
            }
            return .message(kind, .assembled(bytes))
        case .tooBig: return .violation(code: 1009, reason: "message too big")
        case .corrupt: return .violation(code: 1007, reason: "compressed data is corrupt")
        }
    }

    // MARK: Closing

    /// The close frame, behind which nothing more is sent.
    func close(code: UInt16?, reason: String) -> [UInt8] {
        closeCode = code
        var frame: [UInt8] = []
        WebSocketEncoder.appendClose(code: code, reason: reason, to: &frame)
        return frame
    }

    // MARK: Liveness

    /// Judges a peer's silence.
    ///
    /// - Parameters:
    ///   - now: monotonic milliseconds.
    ///   - lastHeard: when bytes last came, in monotonic milliseconds.
    ///   - isPaused: whether the connection is not being read, so that no bytes can come from the peer.
    func checkLiveness(
        now: Int64, lastHeard: Int64, isPaused: Bool, pingInterval: Duration, pongTimeout: Duration
    ) -> Liveness {
        let wait = pingInterval - .milliseconds(now - lastHeard)
        guard wait <= .zero else { return .wait(wait) }
        guard !isPaused else {
            pinged = nil
            return .wait(pongTimeout)
        }
        if let pinged, lastHeard < pinged { return .dead }
        pinged = now
        return .ping
    }

    static let pingFrame: [UInt8] = {
        var frame: [UInt8] = []
        WebSocketEncoder.append(.ping, payload: [], to: &frame)
        return frame
    }()
}
