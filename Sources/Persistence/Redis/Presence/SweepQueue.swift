import ChatDomain

/// Instances whose leases had ended at the last renewal, and the one whose sessions are being removed.
struct SweepQueue {
    private var ended: [InstanceID] = []
    private var current: InstanceID?

    /// Takes over what the last renewal found.
    mutating func replace(with ended: [InstanceID]) { self.ended = ended }

    mutating func removeAll() { ended = [] }

    /// The next instance to sweep; nil while one is being swept, or there is none.
    mutating func takeNext() -> InstanceID? {
        guard current == nil else { return nil }
        current = ended.popLast()
        return current
    }

    /// The instance that was swept last needs no more.
    mutating func finish() { current = nil }
}
