import Crypto
import EventLoop
import Telemetry
public import WireProtocols

/// One Engine.IO session with the transports it is on: held polls, a WebSocket, or one that is being tried.
///
/// Confined to its loop. The rules are `EngineIOSession`'s; here they meet sockets and time.
public final class EngineIOSocket {
    let id: RandomID
    unowned let server: EngineIOServer
    private var session: EngineIOSession
    private var poll: HTTPResponder?
    private var webSocket: Connection?
    private var probe: Connection?
    private var timer: (id: TimerID, deadline: Int64)?
    private var isFinished = false
    /// Whether it is known who the client is; until then little may wait for it.
    private(set) var isStranger: Bool
    private var allowance = QueueAllowance()
    private var drainWaiter: DrainWaiter?
    /// Counted with the connections: a WebSocket is there already.
    private var isCountedAsPolling: Bool
    var isDirty = false
    /// Whoever takes the messages; set when the session opens.
    public var handler: (any EngineIOHandler)?

    init(id: RandomID, over transport: EngineIOSession.Transport, server: EngineIOServer) {
        self.id = id
        self.server = server
        isStranger = server.boundsStrangers
        isCountedAsPolling = transport == .polling
        session = EngineIOSession(
            over: transport, settings: server.settings, now: server.context.loop.monotonicMilliseconds)
        if isCountedAsPolling { server.context.metrics.pollingSessions.add() }
        schedule()
    }

    /// What its client knows the session by.
    public var sid: String { server.sidPrefix + id.text }

    private var now: Int64 { server.context.loop.monotonicMilliseconds }

    public var isOnWebSocket: Bool { session.transport == .webSocket }
    public var compressesOutput: Bool { webSocket?.compressesOutput ?? false }
    var openPacket: [UInt8] { session.openPacket(sid: sid) }

    /// The WebSocket the session is on, for whoever has frames ready; nil while it polls.
    public var frameSink: Connection? { isOnWebSocket ? webSocket : nil }

    // MARK: Sending

    /// Sends a packet, type digit included.
    public func send(_ packet: [UInt8]) {
        guard let webSocket, isOnWebSocket else {
            guard makeRoom(for: packet.count) else { return }
            session.enqueue(EngineIOOutgoing(text: packet))
            return scheduleFlush()
        }
        webSocket.sendMessage(packet, isText: true)
    }

    public func send(binary: [UInt8]) {
        guard let webSocket, isOnWebSocket else {
            guard makeRoom(for: binary.count) else { return }
            session.enqueue(EngineIOOutgoing(binary: binary))
            return scheduleFlush()
        }
        webSocket.sendMessage(binary, isText: false)
    }

    /// Sends ready-made WebSocket frames. Only while `isOnWebSocket`.
    public func send(frames: [UInt8], isDroppable: Bool) { webSocket?.send(frames, isDroppable: isDroppable) }

    /// Queues packets, separated as in a polling payload.
    public func enqueue(_ packets: ArraySlice<UInt8>, isDroppable: Bool) {
        if isDroppable, session.queuedBytes > server.context.configuration.softOutputLimit {
            return server.context.metrics.dropped.add()
        }
        guard makeRoom(for: packets.count) else { return }
        for packet in packets.split(separator: 0x1E) { session.enqueue(EngineIOOutgoing(text: packet)) }
        scheduleFlush()
    }

    /// Whether so much more may wait for the next polls. A client that does not poll is a client that does not read: it goes.
    private func makeRoom(for bytes: Int) -> Bool {
        let (limits, queued) = (server.context.configuration, session.queuedBytes)
        let hasRoom =
            isStranger
            ? queued + bytes <= limits.strangerOutputLimit
            : allowance.admits(bytes, behind: queued, mark: limits.softOutputLimit, limit: limits.pollingOutputLimit)
        guard !hasRoom else { return true }
        server.context.metrics.slowConsumers.add()
        end(.transportClosed)
        return false
    }

    /// Bytes on their way to the client.
    public var queuedBytes: Int { frameSink?.queuedBytes ?? session.queuedBytes }

    /// Calls `action` once, in a turn to come, when no more than `bytes` are queued. A session that ends calls nothing.
    public func whenDrained(to bytes: Int, _ action: @escaping () -> Void) {
        if let connection = frameSink { return connection.whenDrained(to: bytes, action) }
        drainWaiter = DrainWaiter(bytes: bytes, action: action)
        scheduleFlush()
    }

    /// It is known who the client is.
    public func recognize() {
        guard isStranger else { return }
        isStranger = false
        webSocket?.isStranger = false
        server.forgetStranger(self)
    }

    // MARK: Polling

    func poll(_ responder: HTTPResponder) {
        if let refusal = session.poll() {
            responder.respond(Self.response(refusal))
        } else {
            poll = responder
            responder.onAbandon { [weak self] in self?.requestAborted() }
        }
        scheduleFlush()
    }

    func post(_ body: [UInt8], _ responder: HTTPResponder) {
        if let refusal = session.beginPost() {
            responder.respond(Self.response(refusal))
            return scheduleFlush()
        }
        var reader = EngineIOPayloadReader(maximumBytes: session.settings.maxPayload)
        body.withUnsafeBytes { bytes in
            while let receipt = session.receivePacket(from: &reader, in: bytes, now: now) {
                take(receipt, bytes)
            }
        }
        session.endPost()
        if let refusal = session.closeReason?.refusal {
            responder.respond(Self.response(refusal))
        } else {
            responder.respond(Self.text("ok", type: "text/html"))
        }
        scheduleFlush()
    }

    private func requestAborted() {
        poll = nil
        session.requestAborted()
        scheduleFlush()
    }

    // MARK: WebSocket

    func open(on connection: Connection) {
        webSocket = connection
        connection.isStranger = isStranger
        connection.sendMessage(openPacket, isText: true)
    }

    /// A WebSocket asks to take over from polling.
    func probe(on connection: Connection) {
        // A refusal is told by closing, behind a handshake that went well: clients expect it so.
        guard session.openProbe(now: now) == nil else { return connection.close(code: 1000, reason: "") }
        probe = connection
        scheduleFlush()
    }

    private func takeProbe(_ bytes: UnsafeRawBufferPointer, _ connection: Connection) {
        switch session.receiveProbe(bytes, now: now) {
        case .sendPong: connection.sendMessage(EngineIOSession.probePong, isText: true)
        case .upgraded(let queued):
            webSocket = connection
            probe = nil
            connection.isStranger = isStranger
            leavePolling()
            for packet in queued { connection.sendMessage(Array(packet.bytes), isText: !packet.isBinary) }
            if let waiter = drainWaiter {
                drainWaiter = nil
                connection.whenDrained(to: waiter.bytes, waiter.action)
            }
            handler?.transportChanged(self)
        case .closeProbe:
            probe = nil
            connection.close(code: 1000, reason: "")
        }
        scheduleFlush()
    }

    private func take(_ receipt: EngineIOReceipt, _ bytes: UnsafeRawBufferPointer) {
        switch receipt {
        case .text(let range): handler?.received(text: bytes, in: range, on: self)
        case .binary(let bytes): handler?.received(binary: bytes, on: self)
        case .nothing, .close: break
        }
    }

    // MARK: The end

    /// Ends the session when its last words have reached the client.
    ///
    /// - Parameter bytes: how much of what waits for a poll is still told, from the end.
    public func close(keeping bytes: Int = .max) {
        if session.close(now: now, keeping: bytes) == .closeWebSocket { webSocket?.close(code: 1000, reason: "") }
        scheduleFlush()
    }

    /// Ends the session at once; `code` closes a WebSocket.
    public func end(_ reason: EngineIOCloseReason, code: UInt16 = 1000, text: String = "") {
        session.end(reason)
        webSocket?.close(code: code, reason: text)
        scheduleFlush()
    }

    /// What follows from whatever happened: the answer to a held poll at the end of the turn, a new deadline, or the end.
    private func scheduleFlush() {
        server.markDirty(self)
    }

    func flushNow() {
        if let body = session.flush(now: now), let poll {
            self.poll = nil
            poll.respond(Self.text(body, type: "text/plain; charset=UTF-8"))
        }
        guard let reason = session.closeReason else {
            if drainWaiter != nil { didDrain() }
            return schedule()
        }
        finish(reason)
    }

    private func didDrain() {
        guard let waiter = drainWaiter, session.queuedBytes <= waiter.bytes else { return }
        drainWaiter = nil
        server.context.loop.schedule(after: 0, waiter.action)
    }

    private func leavePolling() {
        guard isCountedAsPolling else { return }
        isCountedAsPolling = false
        server.context.metrics.pollingSessions.subtract()
    }

    private func finish(_ reason: EngineIOCloseReason) {
        guard !isFinished else { return }
        isFinished = true
        if let timer { server.context.loop.cancel(timer.id) }
        poll?.respond(Self.response(.unknownSession))
        poll = nil
        probe?.close(code: 1000, reason: "")
        webSocket?.close(code: 1000, reason: "")
        drainWaiter = nil
        leavePolling()
        server.forget(self)
        handler?.closed(self, reason: reason)
        handler = nil
    }

    // MARK: Time

    private func schedule() {
        let deadline = session.nextDeadline
        guard deadline != timer?.deadline else { return }
        // A deadline that moves away is looked at when the old one comes.
        if let timer, timer.deadline <= deadline { return }
        if let timer { server.context.loop.cancel(timer.id) }
        timer = nil
        guard deadline != .max else { return }
        // The end cancels it. A weak reference would cost each session a side table.
        let id = server.context.loop.schedule(after: deadline - now) { [self] in tick() }
        timer = (id, deadline)
    }

    private func tick() {
        timer = nil
        switch session.tick(now: now) {
        case .sendPing: webSocket?.sendMessage([EngineIOPacketType.ping.digit], isText: true)
        case .closeProbe:
            probe?.close(code: 1000, reason: "")
            probe = nil
        case .nothing, .close: break
        }
        scheduleFlush()
    }

    // MARK: Answers

    static func response(_ refusal: EngineIORefusal) -> HTTPResponse {
        HTTPResponse(
            status: refusal.httpStatus, fields: [HTTPField("Content-Type", "application/json")], body: refusal.body)
    }

    static func text(_ body: String, type: String) -> HTTPResponse { text(Array(body.utf8), type: type) }

    static func text(_ body: [UInt8], type: String) -> HTTPResponse {
        HTTPResponse(
            status: 200, fields: [HTTPField("Content-Type", type), HTTPField("Cache-Control", "no-store")], body: body)
    }
}

extension EngineIOSocket: WebSocketHandler {
    public func received(text: UnsafeRawBufferPointer, isPadded: Bool, on connection: Connection) {
        if connection === probe { return takeProbe(text, connection) }
        guard connection === webSocket else { return }
        take(session.receiveText(text, now: now), text)
        guard session.closeReason == nil else { return scheduleFlush() }
        // A heartbeat's answer makes the next one due, which may be sooner than this answer was.
        schedule()
    }

    public func received(binary: UnsafeRawBufferPointer, on connection: Connection) {
        guard connection === webSocket else {
            if connection === probe {
                probe = nil
                session.probeClosed()
                connection.close(code: 1003, reason: "a probe is text")
            }
            return
        }
        take(session.receiveBinary(binary, now: now), binary)
        if session.closeReason != nil { scheduleFlush() }
    }

    public func closed(_ connection: Connection, code: UInt16?) {
        if connection === probe {
            probe = nil
            session.probeClosed()
        } else if connection === webSocket {
            webSocket = nil
            session.end(.transportClosed)
        }
        scheduleFlush()
    }
}

extension EngineIOSocket {
    /// Stops reading the WebSocket until `resume`; a polling client is held by its own POSTs.
    public func pause() { webSocket?.pause() }
    public func resume() { webSocket?.resume() }
}
