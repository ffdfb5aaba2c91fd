/// The time limits and bounds of one connection. Times count in whole milliseconds.
public struct RedisOptions: Sendable {
    /// From the first packet to the first answer, TLS and sign-in included; per address tried.
    public var connectTimeout: Duration = .seconds(3)
    /// How long one command may wait for its answer.
    public var commandTimeout: Duration = .seconds(2)
    /// A connection on which nothing was received for this long is sent a PING.
    public var livenessInterval: Duration = .seconds(3)
    /// How long the answer to that PING may take before the connection counts as broken.
    public var livenessTimeout: Duration = .seconds(3)
    /// The first bound of the random pause between two attempts to connect. It doubles with each attempt.
    public var backoffBase: Duration = .milliseconds(100)
    /// The largest bound of that pause. A connection that lasts this long resets the bound.
    public var backoffLimit: Duration = .seconds(3)
    /// How often each sentinel is asked for the primary.
    public var sentinelInterval: Duration = .seconds(1)
    /// Commands sent and not yet answered.
    public var maximumInFlight = 16_384
    /// Bytes waiting to be sent.
    public var maximumPendingBytes = 16 << 20
    /// Bytes of one answer.
    public var maximumReplyBytes = 64 << 20

    public init() {}
}
