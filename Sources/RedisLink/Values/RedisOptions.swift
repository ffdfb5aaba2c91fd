/// The patience and the bounds of one connection. Times in milliseconds.
public struct RedisOptions: Sendable {
    /// From the first packet to the first answer, TLS and sign-in included; per address tried.
    public var connectTimeout: Int64 = 3000
    /// How long one command may wait for its answer.
    public var commandTimeout: Int64 = 2000
    /// A connection that was silent for this long is asked for a sign of life.
    public var livenessInterval: Int64 = 3000
    /// How long that sign may take before the connection counts as broken.
    public var livenessTimeout: Int64 = 3000
    /// Between attempts to connect: a random time below a bound that starts here and doubles,
    public var backoffBase: Int64 = 100
    /// up to here.
    public var backoffLimit: Int64 = 3000
    /// Commands sent and not yet answered.
    public var maximumInFlight = 16_384
    /// Bytes waiting to be sent.
    public var maximumPendingBytes = 16 << 20
    /// Bytes of one answer.
    public var maximumReplyBytes = 64 << 20

    public init() {}
}

/// How a connection stands.
public enum RedisState: Hashable, Sendable {
    case connecting
    case connected
    /// Down, and trying again; `reason` says why the last attempt or connection ended, without any secret.
    case disconnected(reason: String)
    /// Closed by us, for good.
    case closed
}
