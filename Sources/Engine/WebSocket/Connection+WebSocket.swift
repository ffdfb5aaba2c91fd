import Compression
import Crypto
public import WireProtocols

extension Connection {
    /// Answers the request at hand by becoming a WebSocket.
    ///
    /// - Parameters:
    ///   - handshake: the request, found good.
    ///   - subprotocol: the one chosen of those the client offered.
    ///   - maximumMessageBytes: a limit of this connection's own.
    ///   - watchesLiveness: whether a silent peer is asked for a sign of life, and given up without one; false where the
    ///     handler sees to that.
    public func upgrade(
        _ handshake: WebSocketHandshake, subprotocol: String? = nil, fields: [HTTPField] = [],
        handler: any WebSocketHandler, maximumMessageBytes: Int? = nil, watchesLiveness: Bool = true
    ) {
        guard case .http(let exchange) = phase, exchange.isAnswering else { return }
        let response = handshake.response(subprotocol: subprotocol, fields: fields, sha1: Digest.sha1)
        send(HTTPResponseEncoder.encode(response, date: context.httpDate(), keepsAlive: true))
        exchange.release()
        let configuration = context.configuration
        phase = .webSocket(
            WebSocketLink(
                handler: handler, deflates: handshake.deflate != nil,
                maximumMessageBytes: maximumMessageBytes ?? configuration.maximumMessageBytes))
        compressesOutput = handshake.deflate.map { $0.serverMaxWindowBits >= EngineContext.deflateWindowBits } ?? false
        markOutput()
        if watchesLiveness { setTimer(after: configuration.pingMilliseconds) } else { cancelTimer() }
        readOn()
    }

    /// What this server wants of permessage-deflate; nil when it is switched off.
    public var deflatePolicy: PerMessageDeflate.Policy? {
        context.configuration.allowsDeflate
            ? PerMessageDeflate.Policy(serverMaxWindowBits: EngineContext.deflateWindowBits) : nil
    }

    /// Queues a text or binary message of the WebSocket's own; broadcasts are framed once by whoever makes them.
    public func sendMessage(_ payload: [UInt8], isText: Bool) {
        var frame: [UInt8] = []
        if compressesOutput, context.configuration.compresses(payload.count) {
            let squeezed = context.deflater.compress(payload)
            WebSocketEncoder.append(isText ? .text : .binary, payload: squeezed, isCompressed: true, to: &frame)
        } else {
            WebSocketEncoder.append(isText ? .text : .binary, payload: payload, to: &frame)
        }
        send(frame)
    }

    /// Closes a WebSocket with a code, or any other connection at once.
    public func close(code: UInt16, reason: String) {
        guard case .webSocket(let link) = phase else { return abort() }
        link.close(self, code: code, reason: reason)
    }
}
