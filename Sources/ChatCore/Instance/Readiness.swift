import Synchronization

/// Whether this instance wants new work. Draining says no before anything else is wound up.
public final class Readiness: Sendable {
    private let draining = Atomic<Bool>(false)

    /// Whether the instance refuses new sessions and `/ready` says so.
    public var isDraining: Bool { draining.load(ordering: .relaxed) }
    /// From now on the instance refuses new sessions. There is no way back.
    public func beginDraining() { draining.store(true, ordering: .relaxed) }
}
