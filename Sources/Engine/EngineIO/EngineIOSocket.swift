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
    /// nil for a session that has left polling, or never polled.
    private var polling: PollingTransport?
    private var webSocket: Connection?
    private var timer = DeadlineTimer()
    private var isFinished = false
    /// Whether the client has not identified itself yet; until it has, little may wait for it.
    private var isStranger: Bool
    /// Whether the session is counted with the connections; on a WebSocket its connection is.
    private var isCountedAsPolling: Bool
    private var isWaitingForFlush = false
    /// Takes the messages; set when the session opens.
    public var handler: (any EngineIOHandler)?

    init(id: RandomID, over transport: EngineIOSession.Transport, server: EngineIOServer) {
        self.id = id
        self.server = server
        isStranger = server.boundsStrangers
        isCountedAsPolling = transport == .polling
        session = EngineIOSession(
            over: transport, settings: server.settings, now: server.context.loop.monotonicMilliseconds)
        if isCountedAsPolling {
            polling = PollingTransport()
            server.context.metrics.pollingSessions.add()
        }
        schedule()
    }

    /// The session id that its client was given.
    public var sid: String { server.sidPrefix + id.text }

    private var now: Int64 { server.context.loop.monotonicMilliseconds }

    /// Whether the session has left polling, or never polled.
    public var isOnWebSocket: Bool { session.transport == .webSocket }
    /// Whether the WebSocket agreed on compression by the shared compressor; false while the session polls.
    public var compressesOutput: Bool { webSocket?.compressesOutput ?? false }
    var openPacket: [UInt8] { session.openPacket(sid: sid) }

    /// The WebSocket the session is on, for callers that have frames ready; nil while it polls.
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

    /// Sends a binary message.
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

    /// Whether so much more may wait for the next polls. A client that does not poll is a slow reader: its session ends.
    private func makeRoom(for bytes: Int) -> Bool {
        let (limits, queued) = (server.context.configuration, session.queuedBytes)
        // A session that is over takes nothing, and refuses nothing.
        guard let polling else { return true }
        let hasRoom =
            isStranger
            ? queued + bytes <= limits.strangerOutputLimit
            : polling.allowance.admits(
                bytes, behind: queued, mark: limits.softOutputLimit, limit: limits.pollingOutputLimit)
        guard !hasRoom else { return true }
        server.context.metrics.slowConsumers.add()
        end(.transportClosed)
        return false
    }

    /// Bytes on their way to the client.
    public var queuedBytes: Int { frameSink?.queuedBytes ?? session.queuedBytes }
    /// Bytes that wait for the client: for it to read, or for its next poll.
    public var untakenBytes: Int { frameSink?.untakenBytes ?? session.queuedBytes }

    /// Calls `action` once, in a turn to come, when no more than `bytes` are queued. A session that ends calls nothing.
    public func whenDrained(to bytes: Int, _ action: @escaping () -> Void) {
        if let connection = frameSink { return connection.whenDrained(to: bytes, action) }
        polling?.drainWaiter = DrainWaiter(bytes: bytes, action: action)
        scheduleFlush()
    }

    /// Lifts the limit for clients that have not identified themselves.
    public func recognize() {
        guard isStranger else { return }
        isStranger = false
        webSocket?.isStranger = false
        server.forgetStranger(self)
    }

    // MARK: Polling

    func poll(_ responder: HTTPResponder) {
        if let refusal = session.poll() {
            responder.respond(.engineIO(refusal))
        } else {
            polling?.poll = responder
            responder.onAbandon { [weak self] in self?.requestAborted() }
        }
        scheduleFlush()
    }

    func post(_ body: [UInt8], _ responder: HTTPResponder) {
        if let refusal = session.beginPost() {
            responder.respond(.engineIO(refusal))
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
            responder.respond(.engineIO(refusal))
        } else {
            responder.respond(.engineIOAccepted)
        }
        scheduleFlush()
    }

    private func requestAborted() {
        polling?.poll = nil
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
        // A refused probe is closed behind a complete handshake: clients expect it so.
        guard session.openProbe(now: now) == nil else { return connection.close(code: 1000, reason: "") }
        polling?.probe = connection
        scheduleFlush()
    }

    private func isProbe(_ connection: Connection) -> Bool { polling?.probe === connection }

    private func takeProbe(_ bytes: UnsafeRawBufferPointer, _ connection: Connection) {
        switch session.receiveProbe(bytes, now: now) {
        case .sendPong: connection.sendMessage(EngineIOSession.probePong, isText: true)
        case .upgraded(let queued):
            webSocket = connection
            connection.isStranger = isStranger
            leavePolling()
            for packet in queued { connection.sendMessage(Array(packet.bytes), isText: !packet.isBinary) }
            if let waiter = polling?.drainWaiter { connection.whenDrained(to: waiter.bytes, waiter.action) }
            polling?.probe = nil
            handler?.transportChanged(self)
        case .closeProbe:
            polling?.probe = nil
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

    // MARK: Ending

    /// Ends the session when its queued packets have reached the client.
    ///
    /// - Parameter bytes: how many of the bytes that wait for a poll are still sent, counted from the end.
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

    /// Has the turn end with an answer to a held poll, a new deadline, or the session's end, as the session's state demands.
    private func scheduleFlush() {
        guard !isWaitingForFlush else { return }
        isWaitingForFlush = true
        server.flushLater(self)
    }

    func flush() {
        isWaitingForFlush = false
        if let body = session.flush(now: now) { polling?.takePoll()?.respond(.engineIO(payload: body)) }
        if let reason = session.closeReason { return finish(reason) }
        if isOnWebSocket {
            polling = nil
        } else if let waiter = polling?.takeDrainWaiter(at: session.queuedBytes) {
            server.context.loop.schedule(after: .zero, waiter.action)
        }
        schedule()
    }

    private func leavePolling() {
        guard isCountedAsPolling else { return }
        isCountedAsPolling = false
        server.context.metrics.pollingSessions.subtract()
    }

    private func finish(_ reason: EngineIOCloseReason) {
        guard !isFinished else { return }
        isFinished = true
        timer.cancel(on: server.context.loop)
        polling?.takePoll()?.respond(.engineIO(.unknownSession))
        polling?.probe?.close(code: 1000, reason: "")
        polling = nil
        webSocket?.close(code: 1000, reason: "")
        leavePolling()
        server.forget(self)
        handler?.closed(self, reason: reason)
        handler = nil
    }

    // MARK: Time

    private func schedule() {
        // The session's end cancels the timer. A weak reference would cost each session a side table.
        timer.move(to: session.nextDeadline, on: server.context.loop) { [self] in tick() }
    }

    private func tick() {
        timer.didFire()
        switch session.tick(now: now) {
        case .sendPing: webSocket?.sendMessage([EngineIOPacketType.ping.digit], isText: true)
        case .closeProbe:
            polling?.probe?.close(code: 1000, reason: "")
            polling?.probe = nil
        case .nothing, .close: break
        }
        scheduleFlush()
    }
}

extension EngineIOSocket: WebSocketHandler {
    public func received(text: UnsafeRawBufferPointer, isPadded: Bool, on connection: Connection) {
        if isProbe(connection) { return takeProbe(text, connection) }
        guard connection === webSocket else { return }
        take(session.receiveText(text, now: now), text)
        guard session.closeReason == nil else { return scheduleFlush() }
        // A heartbeat's answer makes the next one due, which may be sooner than this answer was.
        schedule()
    }

    public func received(binary: UnsafeRawBufferPointer, on connection: Connection) {
        guard connection === webSocket else {
            if isProbe(connection) {
                polling?.probe = nil
                session.probeClosed()
                connection.close(code: 1003, reason: "a probe is text")
            }
            return
        }
        take(session.receiveBinary(binary, now: now), binary)
        if session.closeReason != nil { scheduleFlush() }
    }

    public func closed(_ connection: Connection, code: UInt16?) {
        if isProbe(connection) {
            polling?.probe = nil
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
    /// Continues to read at the end of this turn.
    public func resume() { webSocket?.resume() }
}
