/// How long output waits that may.
struct Patience {
    /// Between two looks at whether the loop is busy; the wait on a loop that is not.
    static let step: Duration = .milliseconds(20)

    private var end: Int64
    private var waited: Duration

    /// - Parameters:
    ///   - end: when the wait on a loop that stays busy is over, in monotonic milliseconds.
    ///   - waited: the time that the loop has waited for input up to now.
    init(until end: Int64, waited: Duration) {
        self.end = end
        self.waited = waited
    }

    /// More output waits, which may wait for less.
    mutating func shorten(to end: Int64) { self.end = min(self.end, end) }

    /// To be asked after each step: whether the loop waited for half of it, or the output for long enough.
    mutating func isOver(at now: Int64, waited: Duration) -> Bool {
        defer { self.waited = waited }
        return now >= end || waited - self.waited >= Self.step / 2
    }
}
