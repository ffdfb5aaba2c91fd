internal import EventLoop

/// An IP address and port to which a connection is or was made.
struct RedisPeer: Hashable, Sendable {
    let address: IPAddress
    let port: UInt16
}

/// One attempt to connect: it goes through the addresses of the servers that may be the primary. A value without I/O.
struct ServerSearch {
    enum Step: Equatable {
        /// The servers are not known yet. Begin again when they are.
        case wait
        case resolve(host: String)
        case connect(RedisPeer)
        /// Nothing is left to try.
        case giveUp(reason: String)
    }

    /// The server that is tried, or that the connection was made to.
    private(set) var endpoint: RedisEndpoint?
    /// Where that server is connected to.
    private(set) var peer: RedisPeer?
    private var candidates: ArraySlice<ServerCandidate> = []
    private var addresses: ArraySlice<IPAddress> = []
    /// The server that was to be tried first, when last looked at.
    private var preferred: RedisAddress?
    private var failures: [String] = []

    mutating func begin(_ location: ServerLocation) -> Step {
        end()
        failures = []
        switch location {
        case .unknown: return .wait
        case .none(let reason): return .giveUp(reason: reason)
        case .servers(let servers):
            preferred = servers.first?.endpoint.address
            candidates = servers[...]
            return nextServer()
        }
    }

    mutating func resolved(_ result: Result<[IPAddress], ConnectError>) -> Step {
        switch result {
        case .success(let found):
            addresses = found[...]
            return next(after: "the name has no address")
        case .failure(let error): return next(after: error.description)
        }
    }

    /// What is tried after a failure: another address of the server, else the next server.
    mutating func next(after reason: String) -> Step {
        if let address = addresses.popFirst(), let endpoint {
            let peer = RedisPeer(address: address, port: endpoint.address.port)
            self.peer = peer
            return .connect(peer)
        }
        if let candidate = candidates.popFirst() {
            failures.append(candidate.label.map { "\($0): \(reason)" } ?? reason)
        }
        return nextServer()
    }

    /// The attempt, or the connection that it led to, is over.
    mutating func end() {
        endpoint = nil
        peer = nil
        candidates = []
        addresses = []
    }

    /// - Returns: whether to begin again, since another server than the one in use has become the preferred one. While only the
    ///   order behind the first server changes, a connection to any of them stays.
    mutating func didChange(to location: ServerLocation) -> Bool {
        guard case .servers(let servers) = location, let first = servers.first?.endpoint.address,
            first != preferred
        else { return false }
        preferred = first
        return first != endpoint?.address
    }

    private mutating func nextServer() -> Step {
        peer = nil
        endpoint = candidates.first?.endpoint
        guard let endpoint else {
            return .giveUp(reason: failures.isEmpty ? "no server is known" : failures.joined(separator: "; "))
        }
        return .resolve(host: endpoint.address.host)
    }
}
