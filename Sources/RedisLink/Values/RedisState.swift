/// The state of a connection.
public enum RedisState: Hashable, Sendable {
    case connecting
    case connected
    /// Down, and trying again; `reason` says why the last attempt or connection ended, without any secret.
    case disconnected(reason: String)
    /// Closed by the caller, for good.
    case closed
}
