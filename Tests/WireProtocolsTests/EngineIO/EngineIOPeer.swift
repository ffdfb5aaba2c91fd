import WireProtocols

/// Drives a session as an engine does, and keeps the bytes a client would get.
struct EngineIOPeer {
    enum Delivery: Hashable {
        case text(String)
        case binary([UInt8])
    }

    var session: EngineIOSession
    var now: Int64 = 1000
    /// Bodies of answered polls.
    var polled: [String] = []
    /// Text messages the session's WebSocket, or the probing one, has to send.
    var written: [String] = []
    /// Messages the application got.
    var delivered: [Delivery] = []
    var lastProbe: EngineIOProbeAction?

    init(over transport: EngineIOSession.Transport, settings: EngineIOSettings = .conformance) {
        session = EngineIOSession(over: transport, settings: Shared(settings), now: now)
    }

    // MARK: - The client's part

    /// A GET; nil while it is held or was answered 200, which `polled` shows.
    mutating func get() -> EngineIORefusal? {
        let refusal = session.poll()
        flush()
        return refusal
    }

    /// A POST with a whole body; nil when it was answered `ok`.
    mutating func post(_ body: String) -> EngineIORefusal? { post(Array(body.utf8)) }

    mutating func post(_ body: [UInt8]) -> EngineIORefusal? {
        if let refusal = session.beginPost() {
            flush()
            return refusal
        }
        var payload = EngineIOPayloadReader(maximumBytes: session.settings.maxPayload)
        body.withUnsafeBytes { body in
            while let receipt = session.receivePacket(from: &payload, in: body, now: now) { take(receipt, in: body) }
        }
        session.endPost()
        flush()
        return session.closeReason?.refusal
    }

    mutating func webSocketSends(_ text: String) {
        Array(text.utf8).withUnsafeBytes { take(session.receiveText($0, now: now), in: $0) }
        flush()
    }

    mutating func webSocketSends(binary: [UInt8]) {
        binary.withUnsafeBytes { take(session.receiveBinary($0, now: now), in: $0) }
        flush()
    }

    mutating func probeSends(_ text: String) {
        let action = Array(text.utf8).withUnsafeBytes { session.receiveProbe($0, now: now) }
        switch action {
        case .sendPong: written.append(String(decoding: EngineIOSession.probePong, as: UTF8.self))
        case .upgraded(let queued): written += queued.map { String(decoding: $0.bytes, as: UTF8.self) }
        case .closeProbe: break
        }
        lastProbe = action
        flush()
    }

    // MARK: - The server's part

    mutating func send(_ text: String) {
        if session.transport == .webSocket {
            written.append(text)
        } else {
            session.enqueue(EngineIOOutgoing(text: Array(text.utf8)))
        }
    }

    mutating func sendAndFlush(_ text: String) {
        send(text)
        flush()
    }

    mutating func flush() {
        if let body = session.flush(now: now) { polled.append(String(decoding: body, as: UTF8.self)) }
    }

    /// Lets time pass, stopping at every deadline as a loop's timer does.
    @discardableResult
    mutating func wait(_ milliseconds: Int64) -> [EngineIOSession.TimerAction] {
        var actions: [EngineIOSession.TimerAction] = []
        let end = now + milliseconds
        while session.nextDeadline <= end {
            now = max(now, session.nextDeadline)
            let action = session.tick(now: now)
            if action == .sendPing { written.append("2") }
            if action != .nothing { actions.append(action) }
            flush()
        }
        now = end
        return actions
    }

    private mutating func take(_ receipt: EngineIOReceipt, in bytes: UnsafeRawBufferPointer) {
        switch receipt {
        case .text(let range): delivered.append(.text(String(decoding: bytes[range], as: UTF8.self)))
        case .binary(let bytes): delivered.append(.binary(bytes))
        case .nothing, .close: break
        }
    }
}

extension EngineIOSettings {
    /// The settings that the published protocol suites expect of a server.
    static let conformance: EngineIOSettings = {
        var settings = EngineIOSettings()
        settings.pingInterval = .milliseconds(300)
        settings.pingTimeout = .milliseconds(200)
        settings.maxPayload = 1_000_000
        return settings
    }()

    func with<Value>(_ path: WritableKeyPath<EngineIOSettings, Value>, _ value: Value) -> Self {
        var copy = self
        copy[keyPath: path] = value
        return copy
    }
}
