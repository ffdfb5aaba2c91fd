import ChatCore
import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import JSON
import Telemetry
import WireProtocols

/// Serves one client's main namespace. The protocol's rules are `SocketIOSession`'s; here they meet the Engine.IO socket and
/// time, in one way for chat clients and for services.
protocol SocketIOServing: EngineIOHandler {
    var socket: EngineIOSocket { get }
    var context: ChannelContext { get }
    var rules: SocketIOSession { get set }
    var timer: TimerID? { get set }

    /// The client wants in; CONNECT is to be answered here. `auth` is the JSON object it sent.
    ///
    /// - Throws: the reason of a refusal; it is sent as CONNECT_ERROR, after which stock clients do not retry by themselves.
    func open(_ auth: JSONElement?) throws(ChatError)
    func received(_ event: SocketIOEvent)
    /// A packet held what is no event; `tag` is what it is to be answered under.
    func receivedMalformed(_ error: ChatError, tag: RequestTag?)
    /// The connection ended without a DISCONNECT: it broke, or the server ended it so that the client reconnects.
    func broken(_ reason: EngineIOCloseReason)
    /// The client left or was refused. May be called more than once.
    func left()
}

/// An event from a client; `data` is its first argument and valid during the call.
struct SocketIOEvent {
    let name: String
    let data: JSONElement?
    let tag: RequestTag?
    /// Whether binary attachments came with it.
    let hasBinary: Bool
}

extension SocketIOServing {
    static func rules(on context: ChannelContext) -> SocketIOSession {
        SocketIOSession(settings: context.socketIOSettings, now: context.loop.monotonicMilliseconds)
    }

    private var now: Int64 { context.loop.monotonicMilliseconds }

    // MARK: From the client

    func received(text bytes: UnsafeRawBufferPointer, in range: Range<Int>, on socket: EngineIOSocket) {
        perform(rules.receiveText(bytes, in: range, json: context.parser, now: now), bytes)
    }

    func received(binary: [UInt8], on socket: EngineIOSocket) {
        let action = rules.receiveBinary(binary)
        binary.withUnsafeBytes { perform(action, $0) }
    }

    private func perform(_ action: SocketIOAction, _ bytes: UnsafeRawBufferPointer) {
        switch action {
        case .nothing: break
        case .connect(let namespace, let auth):
            connect(namespace, auth.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) })
        case .event(let message): message.withPayload(in: bytes) { take(message, $0) }
        case .disconnect:
            left()
            schedule()
        case .reply(let packet): socket.send(packet)
        case .close: socket.end(.serverClosed)
        }
    }

    private func connect(_ namespace: String, _ auth: UnsafeRawBufferPointer?) {
        rules.accept(namespace)
        do throws(ChatError) {
            try open(try auth.map { (bytes) throws(ChatError) in try parse(bytes) })
        } catch {
            refuseConnection(error)
        }
        schedule()
    }

    func refuseConnection(_ error: ChatError) {
        context.services.logger.debug("connection refused", ["framing": "socket.io", "code": error.code.rawValue])
        rules.disconnect("/", now: now)
        socket.send(
            SocketIOEncoder.connectError(
                message: error.code.rawValue, data: EventJSON.object { $0.error(error) }))
        left()
        schedule()
    }

    private func parse(_ auth: UnsafeRawBufferPointer) throws(ChatError) -> JSONElement {
        do throws(JSONError) { return try context.parser.parseMending(auth) } catch {
            throw .badRequest("auth is not JSON")
        }
    }

    private func take(_ message: SocketIOMessage, _ payload: UnsafeRawBufferPointer) {
        let tag = message.id.map { RequestTag.acknowledgement($0) }
        do throws(ChatError) {
            let arguments = try arguments(payload)
            guard let name = arguments.first?.string else { throw RawFrame.refusal("an event begins with its name") }
            received(
                SocketIOEvent(
                    name: name, data: arguments.dropFirst().first, tag: tag, hasBinary: message.hasBinary))
        } catch {
            receivedMalformed(error, tag: tag)
        }
    }

    private func arguments(_ payload: UnsafeRawBufferPointer) throws(ChatError) -> [JSONElement] {
        do throws(JSONError) {
            let root = try context.parser.parseMending(payload)
            guard root.kind == .array else { throw JSONError.malformed }
            return root.elements
        } catch {
            throw RawFrame.refusal(error, expecting: "an event is a JSON array")
        }
    }

    // MARK: The end

    /// Sends a DISCONNECT, after which stock clients do not reconnect by themselves, and ends the connection.
    func disconnect() {
        rules.disconnect("/", now: now)
        socket.send(SocketIOEncoder.disconnect())
        left()
        socket.close(keeping: context.gateway.configuration.engine.strangerOutputLimit)
    }

    func closed(_ socket: EngineIOSocket, reason: EngineIOCloseReason) {
        if let timer { context.loop.cancel(timer) }
        timer = nil
        broken(reason)
    }

    /// Follows the rules' deadline: a connection may be outside the namespace for a limited time only.
    func schedule() {
        if let timer { context.loop.cancel(timer) }
        timer = nil
        let deadline = rules.nextDeadline
        guard deadline != .max else { return }
        timer = context.loop.schedule(after: .milliseconds(deadline - now)) { [self] in tick() }
    }

    private func tick() {
        if case .close = rules.tick(now: now) { socket.end(.serverClosed) } else { schedule() }
    }
}
