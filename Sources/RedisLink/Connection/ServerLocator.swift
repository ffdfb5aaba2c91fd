/// Knows the servers that a connection may use, and where the primary is among them. May be used from any thread.
protocol ServerLocator: Sendable {
    var location: ServerLocation { get }
    /// Calls `changed` after each change of `location`, on any thread.
    func observe(_ changed: @escaping @Sendable () -> Void)
}

/// The servers to try, as known at some moment.
enum ServerLocation: Hashable, Sendable {
    /// Not known yet.
    case unknown
    /// In this order; not empty.
    case servers([ServerCandidate])
    /// None is known. The reason is for operators and has no secret in it.
    case none(reason: String)
}

struct ServerCandidate: Hashable, Sendable {
    let endpoint: RedisEndpoint
    /// Begins the reason of a failure, where the configuration does not name the server itself.
    var label: String?
}

/// The one server, or the name, that the configuration gives.
struct FixedServer: ServerLocator {
    let location: ServerLocation

    init(_ endpoint: RedisEndpoint) { location = .servers([ServerCandidate(endpoint: endpoint)]) }

    func observe(_ changed: @escaping @Sendable () -> Void) {}
}
