/// The caller's step for a message on a probing WebSocket.
public enum EngineIOProbeAction: Hashable, Sendable {
    /// Answer `3probe`.
    case sendPong
    /// The WebSocket is the session's transport now; these packets, queued meanwhile, go first.
    case upgraded([EngineIOOutgoing])
    /// Close this WebSocket. The session continues by polling.
    case closeProbe(EngineIOProbeRefusal)
}
