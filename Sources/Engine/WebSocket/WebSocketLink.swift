import Compression
import EventLoop
import Telemetry
import WireProtocols

/// The WebSocket side of a connection (RFC 6455): messages to the handler, control frames, liveness, the closing handshake.
final class WebSocketLink {
    private var decoder: WebSocketDecoder
    private var inflater: Inflater?
    /// Let go at the end. Strong, as all references on the way of a message are: a weak one makes each retain dearer.
    private var handler: (any WebSocketHandler)?
    private var closeCode: UInt16?
    /// When the peer was last asked whether it is there.
    private var pinged: Int64?
    private let maximumMessageBytes: Int
    let deflates: Bool

    init(handler: any WebSocketHandler, deflates: Bool, maximumMessageBytes: Int) {
        self.handler = handler
        self.deflates = deflates
        self.maximumMessageBytes = maximumMessageBytes
        decoder = WebSocketDecoder(.init(maximumMessageBytes: maximumMessageBytes, acceptsCompressed: deflates))
    }

    /// Reads one message; false when there is nothing to read for now.
    func step(_ connection: Connection, _ context: EngineContext) -> Bool {
        guard let event = decoder.next(&context.input) else { return false }
        switch event {
        case .message(let kind, let isCompressed, let payload):
            if isCompressed {
                inflate(payload, kind, connection, context)
            } else {
                deliver(payload, kind, connection, context)
            }
        case .ping(let payload):
            var pong: [UInt8] = []
            WebSocketEncoder.append(.pong, payload: payload, to: &pong)
            connection.send(pong)
        case .pong: break
        case .close(let code, _):
            close(connection, code: code, reason: "", echoes: true)
        case .failure(let code, let reason):
            context.metrics.protocolErrors.add()
            close(connection, code: code, reason: reason)
        }
        return true
    }

    private func deliver(
        _ payload: WebSocketDecoder.Payload, _ kind: WebSocketDecoder.MessageKind, _ connection: Connection,
        _ context: EngineContext
    ) {
        switch payload {
        case .slice(let slice):
            context.input.withUnsafeBytes(of: slice) { handle($0, kind, isPadded: true, connection) }
        case .assembled(let bytes):
            bytes.withUnsafeBytes { handle($0, kind, isPadded: false, connection) }
        }
    }

    private func handle(
        _ bytes: UnsafeRawBufferPointer, _ kind: WebSocketDecoder.MessageKind, isPadded: Bool, _ connection: Connection
    ) {
        switch kind {
        case .text: handler?.received(text: bytes, isPadded: isPadded, on: connection)
        case .binary: handler?.received(binary: bytes, on: connection)
        }
    }

    private func inflate(
        _ payload: WebSocketDecoder.Payload, _ kind: WebSocketDecoder.MessageKind, _ connection: Connection,
        _ context: EngineContext
    ) {
        let limit = maximumMessageBytes
        let result =
            switch payload {
            case .slice(let slice):
                context.input.withUnsafeBytes(of: slice) { context.inflater.inflate($0, limit: limit) }
            case .assembled(let bytes): bytes.withUnsafeBytes { context.inflater.inflate($0, limit: limit) }
            }
        switch result {
        case .message(let bytes):
            guard kind == .binary || UTF8Validator.isValid(bytes) else {
                return close(connection, code: 1007, reason: "text is not UTF-8")
            }
            bytes.withUnsafeBytes { handle($0, kind, isPadded: false, connection) }
        case .tooBig: close(connection, code: 1009, reason: "message too big")
        case .corrupt: close(connection, code: 1007, reason: "compressed data is corrupt")
        }
    }

    /// Sends a close frame once; the connection ends when the peer has answered, or after a while.
    func close(_ connection: Connection, code: UInt16?, reason: String, echoes: Bool = false) {
        closeCode = code
        var frame: [UInt8] = []
        WebSocketEncoder.appendClose(code: code, reason: reason, to: &frame)
        connection.sendLast(frame)
        connection.finishWriting()
    }

    func ended(_ connection: Connection) {
        let handler = handler
        self.handler = nil
        handler?.closed(connection, code: closeCode)
    }

    /// Asks a silent peer whether it is there, and gives up one that does not answer.
    func tick(_ connection: Connection, _ context: EngineContext) {
        let configuration = context.configuration
        let now = context.loop.monotonicMilliseconds
        let wait = configuration.pingMilliseconds - (now - connection.lastHeard)
        guard wait <= 0 else { return connection.setTimer(after: wait) }
        // While we do not read it, its silence is ours.
        guard !connection.isPaused else {
            pinged = nil
            return connection.setTimer(after: configuration.pongMilliseconds)
        }
        if let pinged, connection.lastHeard < pinged { return connection.abort() }
        pinged = now
        var ping: [UInt8] = []
        WebSocketEncoder.append(.ping, payload: [], to: &ping)
        connection.send(ping)
        connection.setTimer(after: configuration.pongMilliseconds)
    }
}
