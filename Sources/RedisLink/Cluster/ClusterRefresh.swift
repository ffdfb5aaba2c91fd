internal import Workers

/// When the slot map is read again. A value without I/O; times are milliseconds of a monotonic clock.
struct ClusterRefresh {
    /// Between two readings while nothing is wrong. Nodes redirect what goes to the wrong one, so that this is only for nodes that
    /// take no commands.
    static let interval: Duration = .seconds(30)

    private var isUnderWay = false
    private var isWanted = true
    private var lastBegan: Int64?
    private var pause: Duration = .zero
    private var backoff = Backoff(base: .milliseconds(100), limit: .seconds(1))

    /// The next reading is due as soon as the pause after the last one allows.
    mutating func request() { isWanted = true }

    /// - Returns: whether to begin a reading now.
    mutating func beginWhenDue(at now: Int64, using random: inout some RandomNumberGenerator) -> Bool {
        guard !isUnderWay, isDue(at: now) else { return false }
        isUnderWay = true
        isWanted = false
        lastBegan = now
        pause = backoff.nextDelay(using: &random)
        return true
    }

    private func isDue(at now: Int64) -> Bool {
        guard let lastBegan else { return true }
        let (elapsed, overflow) = now.subtractingReportingOverflow(lastBegan)
        guard !overflow, elapsed >= 0 else { return true }
        return .milliseconds(elapsed) >= (isWanted ? pause : Self.interval)
    }

    /// - Parameter isWhole: whether every slot is served; the pauses grow until then.
    mutating func didEnd(isWhole: Bool) {
        isUnderWay = false
        if isWhole { backoff.reset() } else { isWanted = true }
    }
}
