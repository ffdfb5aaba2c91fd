import JSON

/// The server's side of one Engine.IO session, whichever transport it is on.
///
/// Every method takes an event and the time (monotonic milliseconds), changes only the session and returns what the caller has
/// to do. After every call `flush` may have an answer for the GET that is held. Once `closeReason` is set the session is over
/// and its sid is forgotten.
public struct EngineIOSession: Sendable {
    public enum Transport: Sendable { case polling, webSocket }

    private enum Phase: Hashable, Sendable {
        case polling
        /// A WebSocket has asked to take over; polling continues until its upgrade packet.
        case probing(isAnswered: Bool)
        case webSocket
        /// Closed by the server; the next poll takes the queue and the close packet.
        case closing
        case closed(EngineIOCloseReason)
    }

    private let sharedSettings: Shared<EngineIOSettings>
    private var phase: Phase
    private var holdsPoll = false
    private var hasPost = false
    private var awaitsPong = false
    private var queue: [EngineIOOutgoing] = []
    /// Bytes that wait for a poll, as they would stand in its answer.
    public private(set) var queuedBytes = 0
    /// When the client is to be pinged, or its pong to be here.
    private var heartbeat: Int64
    /// When the probe, or the orderly close, has taken too long.
    private var phaseDeadline = Int64.max
    /// When a held poll is let go for the sake of the upgrade.
    private var pollRelease = Int64.max

    /// - Parameter settings: shared by all sessions of one server.
    public init(over transport: Transport, settings: Shared<EngineIOSettings>, now: Int64) {
        sharedSettings = settings
        phase = transport == .polling ? .polling : .webSocket
        heartbeat = now + settings.value.pingInterval.wholeMilliseconds
    }

    public var settings: EngineIOSettings { sharedSettings.value }

    /// Whether packets go into a WebSocket at once, or into the session until the client polls.
    public var transport: Transport { phase == .webSocket ? .webSocket : .polling }

    /// Why the session is over; nil while it is not.
    public var closeReason: EngineIOCloseReason? {
        if case .closed(let reason) = phase { reason } else { nil }
    }

    /// The handshake's packet: the answer to the first GET, or the first message on the WebSocket.
    public func openPacket(sid: String) -> [UInt8] {
        var writer = JSONWriter(after: [EngineIOPacketType.open.digit], reserving: 128)
        writer.object {
            $0.member("sid", sid)
            $0.key("upgrades")
            $0.array(transport == .polling && settings.allowsUpgrades ? ["websocket"] : []) { $0.string($1) }
            $0.member("pingInterval", settings.pingInterval.wholeMilliseconds)
            $0.member("pingTimeout", settings.pingTimeout.wholeMilliseconds)
            $0.member("maxPayload", settings.maxPayload)
        }
        return writer.bytes
    }

    // MARK: - Sending

    /// Queues a packet for the next poll. Only while the transport is polling: the caller writes to a WebSocket itself. The
    /// caller bounds the queue too, by `queuedBytes`.
    public mutating func enqueue(_ packet: EngineIOOutgoing) {
        switch phase {
        case .polling, .probing:
            queue.append(packet)
            queuedBytes += packet.payloadBytes
        case .webSocket, .closing, .closed: break
        }
    }

    /// The answer to the GET that is held (200, `text/plain; charset=UTF-8`); nil when none is held, when it still waits, and
    /// when it is to fail because the session is over (then `closeReason` is set; answer 400, unknown session).
    /// Called once at the end of a loop turn with events.
    public mutating func flush(now: Int64) -> [UInt8]? {
        guard holdsPoll, let body = pollAnswer(now: now) else { return nil }
        holdsPoll = false
        return body
    }

    private mutating func pollAnswer(now: Int64) -> [UInt8]? {
        switch phase {
        case .polling, .probing:
            if !queue.isEmpty { return takePayload() }
            guard phase == .probing(isAnswered: true), now >= pollRelease else { return nil }
            pollRelease = now + settings.pollReleaseInterval.wholeMilliseconds
            return [EngineIOPacketType.noop.digit]
        case .webSocket, .closed(.clientClosed):
            return [EngineIOPacketType.noop.digit]
        case .closing:
            var body = takePayload()
            if queue.isEmpty {
                if !body.isEmpty { body.append(EngineIOPacket.separator) }
                body.append(EngineIOPacketType.close.digit)
                end(.serverClosed)
            }
            return body
        case .closed(.serverClosed), .closed(.pingTimeout), .closed(.transportClosed):
            // No close packet: some clients do not reconnect after one. The request fails instead, as it does when a
            // server is gone.
            return nil
        case .closed:
            return [EngineIOPacketType.close.digit]
        }
    }

    /// Takes as many whole packets as one answer may hold.
    private mutating func takePayload() -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(min(queuedBytes + queue.count, settings.maxPayload))
        var taken = 0
        for packet in queue.prefix(settings.maxPacketsPerPoll) {
            guard taken == 0 || body.count + 1 + packet.payloadBytes <= settings.maxPayload else { break }
            if taken > 0 { body.append(EngineIOPacket.separator) }
            packet.append(toPayload: &body)
            queuedBytes -= packet.payloadBytes
            taken += 1
        }
        if taken == queue.count { queue = [] } else { queue.removeFirst(taken) }
        return body
    }

    // MARK: - Requests of a polling client

    /// A GET has come. Nil: it is held, and `flush` answers it. Otherwise it is refused; when a GET was held already,
    /// the session is closed too.
    public mutating func poll() -> EngineIORefusal? {
        switch phase {
        case .closed: return .unknownSession
        case .webSocket: return .badRequest
        case .polling, .probing, .closing: break
        }
        guard !holdsPoll else { return refuseOverlap() }
        holdsPoll = true
        return nil
    }

    /// A POST has come. Nil: its body's packets are to be taken by `receivePacket`, then `endPost` is called and it is
    /// answered 200 `ok` (`text/html`), or with the close reason's refusal. A second POST before that closes the session.
    public mutating func beginPost() -> EngineIORefusal? {
        switch phase {
        case .closed: return .unknownSession
        case .webSocket: return .badRequest
        case .polling, .probing, .closing: break
        }
        guard !hasPost else { return refuseOverlap() }
        hasPost = true
        return nil
    }

    public mutating func endPost() { hasPost = false }

    private mutating func refuseOverlap() -> EngineIORefusal {
        end(.overlappingRequests)
        return .badRequest
    }

    /// The connection of the held GET or of an unfinished POST went away. Packets on it may be lost, so the session ends.
    public mutating func requestAborted() {
        guard holdsPoll || hasPost else { return }
        holdsPoll = false
        hasPost = false
        if phase != .webSocket { end(.transportClosed) }
    }

    // MARK: - Receiving

    /// A text message came on the session's WebSocket.
    public mutating func receiveText(_ bytes: UnsafeRawBufferPointer, now: Int64) -> EngineIOReceipt {
        guard phase == .webSocket else { return .nothing }
        guard bytes.count <= settings.maxPayload else { return close(.malformed(.tooBig)) }
        do throws(EngineIOPacketError) {
            return try take(EngineIOPacket.decode(text: bytes, in: 0..<bytes.count), in: bytes, now: now)
        } catch {
            return close(.malformed(error))
        }
    }

    /// A binary message came on the session's WebSocket.
    public mutating func receiveBinary(_ bytes: UnsafeRawBufferPointer, now: Int64) -> EngineIOReceipt {
        guard phase == .webSocket else { return .nothing }
        guard bytes.count <= settings.maxPayload else { return close(.malformed(.tooBig)) }
        return .binary(Array(bytes))
    }

    /// The next packet of a POST's body; nil behind the last one. A POST that began before the upgrade is still taken.
    public mutating func receivePacket(
        from payload: inout EngineIOPayloadReader, in body: UnsafeRawBufferPointer, now: Int64
    ) -> EngineIOReceipt? {
        guard closeReason == nil else { return nil }
        do throws(EngineIOPacketError) {
            guard let packet = try payload.next(in: body) else { return nil }
            return try take(packet, in: body, now: now)
        } catch {
            return close(.malformed(error))
        }
    }

    private mutating func take(
        _ packet: EngineIOPacket, in bytes: UnsafeRawBufferPointer, now: Int64
    ) throws(EngineIOPacketError) -> EngineIOReceipt {
        if packet.type == .close { return close(.clientClosed) }
        // The server has closed the session; packets that cross the close are not answered.
        guard phase != .closing else { return .nothing }
        switch packet.type {
        case .message:
            return packet.encoding == .text ? .text(packet.content) : .binary(try packet.binaryContent(in: bytes))
        case .pong:
            receivedPong(now: now)
            return .nothing
        case .noop, .close:
            return .nothing
        case .open, .ping, .upgrade:
            return close(.unexpectedPacket(packet.type))
        }
    }

    private mutating func close(_ reason: EngineIOCloseReason) -> EngineIOReceipt {
        end(reason)
        return .close(reason)
    }

    // MARK: - Polling to WebSocket

    // Until the upgrade packet everything goes by polling, and the client sends that packet only when it holds the answer to
    // its last poll: so polled packets come before those of the WebSocket, and nothing is lost.

    /// Content of a probe's ping and pong.
    private static let probe = Array("probe".utf8)
    /// The answer to a probe.
    public static let probePong = [EngineIOPacketType.pong.digit] + probe

    /// A WebSocket asks to take the session over. Nil: its messages go to `receiveProbe`. Otherwise it is to be closed
    /// behind its handshake, as clients expect of a refused probe; the session is not touched.
    public mutating func openProbe(now: Int64) -> EngineIOProbeRefusal? {
        switch phase {
        case .probing: return .upgradeInProgress
        case .webSocket: return .alreadyUpgraded
        case .closing, .closed: return .sessionClosed
        case .polling: break
        }
        guard settings.allowsUpgrades else { return .upgradesNotAllowed }
        phase = .probing(isAnswered: false)
        phaseDeadline = now + settings.upgradeTimeout.wholeMilliseconds
        return nil
    }

    /// A text message came on the probing WebSocket. (A binary one is no probe: close it, and call `probeClosed`.)
    public mutating func receiveProbe(_ bytes: UnsafeRawBufferPointer, now: Int64) -> EngineIOProbeAction {
        guard case .probing(let isAnswered) = phase else { return .closeProbe(.sessionClosed) }
        let packet = try? EngineIOPacket.decode(text: bytes, in: 0..<bytes.count)
        switch packet?.type {
        case .ping where packet.map { bytes[$0.content].elementsEqual(Self.probe) } == true:
            phase = .probing(isAnswered: true)
            if !isAnswered { pollRelease = now }
            return .sendPong
        case .upgrade where isAnswered:
            return .upgraded(upgrade())
        case .upgrade:
            probeClosed()
            return .closeProbe(.upgradeWithoutProbe)
        default:
            probeClosed()
            return .closeProbe(.notAProbe)
        }
    }

    /// The probing WebSocket is gone; the session continues by polling.
    public mutating func probeClosed() {
        guard case .probing = phase else { return }
        phase = .polling
        phaseDeadline = .max
    }

    private mutating func upgrade() -> [EngineIOOutgoing] {
        phase = .webSocket
        phaseDeadline = .max
        defer {
            queue = []
            queuedBytes = 0
        }
        return queue
    }

    // MARK: - Closing

    /// The caller's step for an orderly close.
    public enum CloseAction: Hashable, Sendable {
        /// Close the WebSocket behind the packets written to it.
        case closeWebSocket
        /// Keep the session: `flush`, now or at the next poll, hands out the queue. Close a probing WebSocket.
        case awaitPoll
        case nothing
    }

    /// Closes the session when its queue has reached the client.
    ///
    /// - Parameter bytes: how many of the bytes queued last are kept; a client that does not poll again must not hold more memory
    ///   than that.
    public mutating func close(now: Int64, keeping bytes: Int = .max) -> CloseAction {
        switch phase {
        case .closing, .closed: return .nothing
        case .webSocket:
            end(.serverClosed)
            return .closeWebSocket
        case .polling, .probing:
            let kept = queue.drop { packet in
                guard queuedBytes > bytes else { return false }
                queuedBytes -= packet.payloadBytes
                return true
            }
            queue = Array(kept)
            phase = .closing
            phaseDeadline = now + settings.closeTimeout.wholeMilliseconds
            return .awaitPoll
        }
    }

    /// Ends the session at once and drops its queue: for a slow reader, or a WebSocket that went away.
    public mutating func end(_ reason: EngineIOCloseReason) {
        if case .closed = phase { return }
        phase = .closed(reason)
        queue = []
        queuedBytes = 0
    }

    // MARK: - Time

    public enum TimerAction: Hashable, Sendable {
        case nothing
        /// Write `2` to the WebSocket. (To a polling client the session queues it itself.)
        case sendPing
        /// The probing WebSocket took too long; close it. The session continues.
        case closeProbe
        /// The session is over.
        case close(EngineIOCloseReason)
    }

    /// When `tick` is due next; `Int64.max` when never. Pongs move it: look again before acting on an old value.
    public var nextDeadline: Int64 {
        switch phase {
        case .closed: .max
        case .closing: phaseDeadline
        case .polling, .webSocket: heartbeat
        case .probing(let isAnswered):
            min(heartbeat, phaseDeadline, isAnswered && holdsPoll ? pollRelease : .max)
        }
    }

    public mutating func tick(now: Int64) -> TimerAction {
        switch phase {
        case .closed:
            return .nothing
        case .closing:
            guard now >= phaseDeadline else { return .nothing }
            end(.serverClosed)
            return .close(.serverClosed)
        case .polling, .probing, .webSocket:
            if awaitsPong, now >= heartbeat {
                end(.pingTimeout)
                return .close(.pingTimeout)
            }
            if case .probing = phase, now >= phaseDeadline {
                probeClosed()
                return .closeProbe
            }
            return now >= heartbeat ? ping(now: now) : .nothing
        }
    }

    private mutating func ping(now: Int64) -> TimerAction {
        awaitsPong = true
        heartbeat = now + settings.pingTimeout.wholeMilliseconds
        if transport == .webSocket { return .sendPing }
        enqueue(.ping)
        return .nothing
    }

    private mutating func receivedPong(now: Int64) {
        awaitsPong = false
        heartbeat = now + settings.pingInterval.wholeMilliseconds
    }
}
