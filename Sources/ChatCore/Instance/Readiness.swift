import Synchronization

/// Whether this instance wants new work. Draining says no before anything else is wound up.
public final class Readiness: Sendable {
    private let draining = Atomic<Bool>(false)

    public var isDraining: Bool { draining.load(ordering: .relaxed) }
    public func beginDraining() { draining.store(true, ordering: .relaxed) }
}
