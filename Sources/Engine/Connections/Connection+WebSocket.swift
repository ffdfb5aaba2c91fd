import Compression
import Crypto
import EventLoop
import Telemetry
public import WireProtocols

/// A connection as a WebSocket, by the rules of `WebSocketLink`.
extension Connection {
    /// Answers the request at hand by becoming a WebSocket.
    ///
    /// - Parameters:
    ///   - handshake: the request, found good.
    ///   - subprotocol: the one chosen of those the client offered.
    ///   - maximumMessageBytes: a limit of this connection's own.
    ///   - watchesLiveness: whether a silent peer is pinged, and closed when it does not answer; false where the handler has
    ///     heartbeats of its own.
    public func upgrade(
        _ handshake: WebSocketHandshake, subprotocol: String? = nil, fields: [HTTPField] = [],
        handler: any WebSocketHandler, maximumMessageBytes: Int? = nil, watchesLiveness: Bool = true
    ) {
        guard let exchange, exchange.isAnswering else { return }
        let response = handshake.response(subprotocol: subprotocol, fields: fields, sha1: Digest.sha1)
        send(HTTPResponseEncoder.encode(response, date: context.httpDate(), keepsAlive: true))
        let link = WebSocketLink(
            maximumMessageBytes: maximumMessageBytes ?? context.configuration.maximumMessageBytes,
            deflates: handshake.deflate != nil)
        let compressesOutput = handshake.deflate.map { $0.serverMaxWindowBits >= EngineContext.deflateWindowBits }
        didUpgrade(to: link, handler, compressesOutput: compressesOutput ?? false)
        if watchesLiveness { setTimer(after: context.configuration.pingInterval) } else { cancelTimer() }
        readOn()
    }

    /// Reads one step of a message; false when there is nothing to read for now.
    func readMessage(_ link: WebSocketLink, _ handler: any WebSocketHandler) -> Bool {
        switch link.next(&context.input, inflater: context.inflater) {
        case .needMore: return false
        case .message(let kind, .slice(let slice)):
            context.input.withUnsafeBytes(of: slice) { deliver($0, kind, isPadded: true, to: handler) }
        case .message(let kind, .assembled(let bytes)):
            bytes.withUnsafeBytes { deliver($0, kind, isPadded: false, to: handler) }
        case .reply(let frame): send(frame)
        case .nothing: break
        case .peerClosed(let code): close(link, code: code, reason: "")
        case .violation(let code, let reason):
            context.metrics.protocolErrors.add()
            close(link, code: code, reason: reason)
        }
        return true
    }

    private func deliver(
        _ bytes: UnsafeRawBufferPointer, _ kind: WebSocketDecoder.MessageKind, isPadded: Bool,
        to handler: any WebSocketHandler
    ) {
        switch kind {
        case .text: handler.received(text: bytes, isPadded: isPadded, on: self)
        case .binary: handler.received(binary: bytes, on: self)
        }
    }

    /// Closes a WebSocket with a code, or any other connection at once.
    public func close(code: UInt16, reason: String) {
        guard let link else { return abort() }
        close(link, code: code, reason: reason)
    }

    /// Sends a close frame; the connection ends when the peer has answered, or after a while.
    func close(_ link: WebSocketLink, code: UInt16?, reason: String) {
        finishWriting(with: link.close(code: code, reason: reason))
    }

    func checkLiveness(_ link: WebSocketLink, lastHeard: Int64, isPaused: Bool) {
        let liveness = link.checkLiveness(
            now: context.loop.monotonicMilliseconds, lastHeard: lastHeard, isPaused: isPaused,
            pingInterval: context.configuration.pingInterval, pongTimeout: context.configuration.pongTimeout)
        switch liveness {
        case .wait(let span): setTimer(after: span)
        case .ping:
            send(WebSocketLink.pingFrame)
            setTimer(after: context.configuration.pongTimeout)
        case .dead: abort()
        }
    }

    // MARK: Messages

    /// The server's offer of permessage-deflate; nil when it is switched off.
    public var deflatePolicy: PerMessageDeflate.Policy? {
        context.configuration.allowsDeflate
            ? PerMessageDeflate.Policy(serverMaxWindowBits: EngineContext.deflateWindowBits) : nil
    }

    /// Frames and queues a text or binary message. A broadcast is framed once by its sender and goes through `send`.
    public func sendMessage(_ payload: [UInt8], isText: Bool) {
        var frame: [UInt8] = []
        if compressesOutput, context.configuration.compresses(payload.count) {
            let compressed = context.deflater.compress(payload)
            WebSocketEncoder.append(isText ? .text : .binary, payload: compressed, isCompressed: true, to: &frame)
        } else {
            WebSocketEncoder.append(isText ? .text : .binary, payload: payload, to: &frame)
        }
        send(frame)
    }
}
