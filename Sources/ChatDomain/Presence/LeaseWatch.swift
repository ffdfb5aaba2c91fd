/// When an instance may take another's lease for dead: only after its own was renewed for a full period without a gap.
/// Otherwise a pause of what keeps the leases would declare everybody dead.
public struct LeaseWatch: Sendable {
    private let period: Duration
    private var heldSince: Moment?
    private var renewedAt: Moment?

    /// - Parameter period: how long a lease holds.
    public init(period: Duration) { self.period = period }

    /// - Parameter held: whether the lease still held when it was renewed.
    public mutating func renewed(held: Bool, at now: Moment) {
        let isGapless = held && renewedAt.map { now - $0 < period } ?? false
        if !isGapless { heldSince = now }
        renewedAt = now
    }

    public mutating func lost() {
        heldSince = nil
        renewedAt = nil
    }

    public func mayJudge(at now: Moment) -> Bool {
        guard let heldSince, let renewedAt else { return false }
        return now - heldSince >= period && now - renewedAt < period
    }
}
