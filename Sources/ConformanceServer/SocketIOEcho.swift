import Engine
import EventLoop
import JSON
import WireProtocols

/// Socket.IO at `/socket.io/`, as published suites expect it: on connect it emits `auth` with the handshake's auth; answers
/// `message` by `message-back`; acks `message-with-ack` with its own arguments. Namespaces `/` and `/custom`.
final class SocketIOEcho: EngineIOHandler {
    private var rules: SocketIOSession
    private let socket: EngineIOSocket
    private let loop: EventLoop
    private let parser = JSONParser()
    private var connections = 0

    init(socket: EngineIOSocket, loop: EventLoop, connectTimeout: Duration) {
        self.socket = socket
        self.loop = loop
        var settings = SocketIOSettings(namespaces: ["/", "/custom"])
        settings.connectTimeout = connectTimeout
        settings.maxPayload = 1_000_000
        rules = SocketIOSession(settings: Shared(settings), now: loop.monotonicMilliseconds)
        schedule()
    }

    private func schedule() {
        guard rules.nextDeadline != .max else { return }
        loop.schedule(after: .milliseconds(rules.nextDeadline - loop.monotonicMilliseconds)) { [weak self] in
            self?.tick()
        }
    }

    private func tick() {
        if case .close = rules.tick(now: loop.monotonicMilliseconds) { socket.end(.serverClosed) }
    }

    func received(text bytes: UnsafeRawBufferPointer, in range: Range<Int>, on socket: EngineIOSocket) {
        perform(rules.receiveText(bytes, in: range, json: parser, now: loop.monotonicMilliseconds), bytes)
    }

    func received(binary: [UInt8], on socket: EngineIOSocket) {
        let action = rules.receiveBinary(binary)
        binary.withUnsafeBytes { perform(action, $0) }
    }

    func transportChanged(_ socket: EngineIOSocket) {}
    func closed(_ socket: EngineIOSocket, reason: EngineIOCloseReason) {}

    private func perform(_ action: SocketIOAction, _ bytes: UnsafeRawBufferPointer) {
        switch action {
        case .nothing: break
        case .disconnect: schedule()
        case .connect(let namespace, let auth): connect(namespace, auth.map { Array(bytes[$0]) })
        case .event(let message): message.withPayload(in: bytes) { event(message, $0) }
        case .reply(let packet): socket.send(packet)
        case .close: socket.end(.serverClosed)
        }
    }

    private func connect(_ namespace: String, _ auth: [UInt8]?) {
        connections += 1
        rules.accept(namespace)
        socket.send(SocketIOEncoder.connect(namespace: namespace, sid: "\(socket.sid)-\(connections)"))
        var packet: [UInt8] = []
        SocketIOEncoder.appendEvent(
            prefix: SocketIOEncoder.eventPrefix("auth", namespace: namespace), argument: auth ?? Array("{}".utf8),
            into: &packet)
        socket.send(packet)
    }

    private func event(_ message: SocketIOMessage, _ payload: UnsafeRawBufferPointer) {
        guard let root = try? parser.parse(payload), let name = root.elements.first?.string else {
            return socket.end(.serverClosed)
        }
        let arguments = root.elements.dropFirst().map(\.serialized).joined(separator: [UInt8(ascii: ",")])
        var packet: [UInt8] = []
        if name == "message" {
            let prefix = SocketIOEncoder.eventPrefix(
                "message-back", namespace: message.namespace, attachments: message.attachments.count)
            SocketIOEncoder.appendEvent(prefix: prefix, argument: Array(arguments), into: &packet)
        } else if name == "message-with-ack", let id = message.id {
            SocketIOEncoder.appendAck(
                id, namespace: message.namespace, arguments: Array(arguments),
                attachments: message.attachments.count, into: &packet)
        } else {
            return
        }
        socket.send(packet)
        for attachment in message.attachments { socket.send(binary: attachment) }
    }
}
