import ChatCore
import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import Identity
import JSON
import Telemetry
import WireProtocols

/// Another service's Socket.IO connection on the internal listener. It may send messages to users, and nothing else.
final class ServiceChannel: SocketIOServing {
    /// Messages that may wait for those before them; a service that has this many is not read until some are sent.
    private static let maximumWaiting = 64

    let socket: EngineIOSocket
    let context: ChannelContext
    private let address: IPAddress
    /// The service key the handshake's header showed.
    private let shownKey: String?
    var rules: SocketIOSession
    var timer: TimerID?
    /// The service's name, once it is in.
    private var service: UserID?
    private var waiting: [(message: ServiceMessage, tag: RequestTag?)] = []
    private var isSending = false

    init(socket: EngineIOSocket, context: ChannelContext, address: IPAddress, shownKey: String?) {
        self.socket = socket
        self.context = context
        self.address = address
        self.shownKey = shownKey
        rules = Self.rules(on: context)
        schedule()
    }

    // MARK: From the service

    func open(_ auth: JSONElement?) throws(ChatError) {
        let fields = try CommandFields(auth, limits: context.services.configuration.commands)
        if context.gateway.configuration.internalRequiresKey {
            let key = try fields.optionalText("serviceKey", maximumCharacters: 1024) ?? shownKey
            try context.gateway.check(serviceKey: key, from: address, at: context.now.monotonic)
        }
        let name = try fields.optionalIdentifier("serviceName") ?? ServiceMessage.anonymous
        service = name
        socket.recognize()
        context.services.logger.debug("service connected", ["service": name.value])
        socket.send(SocketIOEncoder.connect(sid: socket.sid))
        emit(
            "connected",
            EventJSON.object {
                $0.member("socketId", socket.sid)
            })
    }

    func received(_ event: SocketIOEvent) {
        guard let service else { return }
        do throws(ChatError) {
            guard event.name == "send_message" else {
                throw ChatError(
                    .unknownEvent,
                    "there is no event \"\(ShortText.cut(event.name, maximumCharacters: 64))\" on this port")
            }
            guard !event.hasBinary else { throw .badRequest("binary data is not taken here") }
            let fields = try CommandFields(event.data, limits: context.services.configuration.commands)
            waiting.append((try ServiceMessage(fields, from: service), event.tag))
            if waiting.count >= Self.maximumWaiting { socket.pause() }
            sendNext()
        } catch {
            refuse(error, event: event.name, tag: event.tag)
        }
    }

    /// One after the other, so that messages arrive in the order they were sent.
    private func sendNext() {
        guard !isSending, let (next, tag) = waiting.first else { return }
        isSending = true
        waiting.removeFirst()
        context.run({ [services = context.services] in
            await services.sendDirect(next.message, from: next.sender, to: next.recipients)
        }) { [weak self] delivery in
            guard let self else { return }
            isSending = false
            answer(tag, delivery.json)
            if waiting.count < Self.maximumWaiting { socket.resume() }
            sendNext()
        }
    }

    func receivedMalformed(_ error: ChatError, tag: RequestTag?) { refuse(error, event: nil, tag: tag) }

    // MARK: To the service

    private func refuse(_ error: ChatError, event: String?, tag: RequestTag?) {
        guard tag == nil else { return answer(tag, EventJSON.refusal(error)) }
        emit("error", EventJSON.error(error, event: event, isFlat: false, at: context.now.wall))
    }

    private func answer(_ tag: RequestTag?, _ data: [UInt8]) {
        guard let tag else { return }
        socket.send(FrameEncoding.socketIO.answer(tag, data: data).bytes)
    }

    private func emit(_ event: StaticString, _ data: [UInt8]) {
        socket.send(Envelope.socketIO(event, data: data).bytes)
    }

    func transportChanged(_ socket: EngineIOSocket) {}

    func broken(_ reason: EngineIOCloseReason) { left() }

    func left() {
        if let service { context.services.logger.debug("service left", ["service": service.value]) }
        service = nil
        waiting = []
    }
}
