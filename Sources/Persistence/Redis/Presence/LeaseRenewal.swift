import ChatDomain

/// When this instance's lease is renewed, and what that says about the leases of others.
struct LeaseRenewal {
    /// When the last successful renewal began.
    private(set) var began = Moment(milliseconds: .min)
    private var watch = LeaseWatch(period: DirectoryMachine.lease)
    private var nextHeartbeat: Moment?
    private var isUnderWay = false

    /// When the next heartbeat is due; nil while a renewal is under way.
    var deadline: Moment? { isUnderWay ? nil : nextHeartbeat }

    /// Whether another instance's lease may be taken for ended: this one was held for a full period without a gap.
    func mayJudge(at now: Moment) -> Bool { watch.mayJudge(at: now) }

    /// The next heartbeat is due at this moment, or once the renewal that is under way has ended.
    mutating func schedule(at moment: Moment) { nextHeartbeat = moment }

    /// - Returns: whether a heartbeat was due. The next one is due an interval later.
    mutating func takeHeartbeat(at now: Moment) -> Bool {
        guard let deadline, now >= deadline else { return false }
        nextHeartbeat = now + DirectoryMachine.heartbeat
        return true
    }

    mutating func begin() { isUnderWay = true }

    /// - Parameter isHeld: whether the lease still held when it was renewed.
    mutating func succeed(began: Moment, isHeld: Bool, at now: Moment) {
        isUnderWay = false
        self.began = began
        watch.renewed(held: isHeld, at: now)
    }

    mutating func fail() {
        isUnderWay = false
        watch.lost()
    }
}
