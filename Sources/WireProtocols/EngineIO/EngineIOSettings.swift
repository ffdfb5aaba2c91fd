/// The parameters an Engine.IO server announces in its handshake, and the bounds it keeps. Times are used to the millisecond.
public struct EngineIOSettings: Hashable, Sendable {
    /// From the session's begin, or the last pong, to the next ping.
    public var pingInterval: Duration = .seconds(25)
    /// How long a ping may stay without its pong.
    public var pingTimeout: Duration = .seconds(20)
    /// Bytes a polling body, in either direction, and a WebSocket message may have. One packet larger than that still
    /// travels, alone.
    public var maxPayload = 131_072
    /// Whether a polling session may move to a WebSocket.
    public var allowsUpgrades = true
    /// From the probing WebSocket's arrival to its upgrade packet.
    public var upgradeTimeout: Duration = .seconds(10)
    /// How long an orderly close waits for the client's next poll.
    public var closeTimeout: Duration = .seconds(30)
    /// While a probe is answered, a held poll is let go at once and every later one this long after the one before, so
    /// that the client may stop polling without doing it in a tight loop.
    public var pollReleaseInterval: Duration = .milliseconds(100)
    /// Packets in one answer to a poll: python-engineio, a client in wide use, takes 16 and no more.
    public var maxPacketsPerPoll = 16

    public init() {}
}
