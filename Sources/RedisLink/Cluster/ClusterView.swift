internal import Synchronization

/// What is known of a cluster, for other threads than the one of its connections.
final class ClusterView: Sendable {
    typealias Follower = @Sendable (ClusterTopology) -> Void

    private struct State {
        var topology: ClusterTopology?
        var shortfall: String?
        var followers: [Follower] = []
    }

    private let state = Mutex(State())

    /// Which slots cannot be used, and why; nil when all can.
    var shortfall: String? { state.withLock { $0.shortfall } }

    func set(shortfall: String?) { state.withLock { $0.shortfall = shortfall } }

    func set(_ topology: ClusterTopology) {
        let followers = state.withLock { state in
            state.topology = topology
            return state.followers
        }
        for follower in followers { follower(topology) }
    }

    /// Calls the follower with what is known, and with every map that is read later.
    func add(_ follower: @escaping Follower) {
        let topology = state.withLock { state in
            state.followers.append(follower)
            return state.topology
        }
        if let topology { follower(topology) }
    }
}
