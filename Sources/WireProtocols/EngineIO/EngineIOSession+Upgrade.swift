/// What a message on a probing WebSocket asks for.
public enum EngineIOProbeAction: Hashable, Sendable {
    /// Answer `3probe`.
    case sendPong
    /// The WebSocket is the session's transport now; these packets, queued meanwhile, go first.
    case upgraded([EngineIOOutgoing])
    /// Close this WebSocket. The session goes on by polling.
    case closeProbe(EngineIOProbeRefusal)
}

/// Polling to WebSocket. Until the upgrade packet everything goes by polling, and the client sends that packet only when
/// it holds the answer to its last poll: so what was polled comes before what the WebSocket brings, and nothing is lost.
extension EngineIOSession {
    /// Content of a probe's ping and pong.
    private static let probe = Array("probe".utf8)
    /// The answer to a probe.
    public static let probePong = [EngineIOPacketType.pong.digit] + probe

    /// A WebSocket asks to take the session over. Nil: its messages go to `receiveProbe`. Otherwise it is to be closed
    /// behind its handshake, which is what clients expect of a refused probe; the session is not touched.
    public mutating func openProbe(now: Int64) -> EngineIOProbeRefusal? {
        switch phase {
        case .probing: return .upgradeInProgress
        case .webSocket: return .alreadyUpgraded
        case .closing, .closed: return .sessionClosed
        case .polling: break
        }
        guard settings.allowsUpgrades else { return .upgradesNotAllowed }
        phase = .probing(isAnswered: false)
        phaseDeadline = now + settings.upgradeTimeout
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

    /// The probing WebSocket is gone; the session goes on by polling.
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
}
