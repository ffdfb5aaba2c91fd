/// How long output waits that may.
struct Patience {
    /// Between two looks at whether the loop is busy; the wait on a loop that is not.
    static let step: Duration = .milliseconds(20)
    /// The wait on a loop that stays busy, in milliseconds.
    static let longest: Int64 = 250

    private var end: Int64
    private var waited: Duration

    /// - Parameters:
    ///   - now: monotonic milliseconds.
    ///   - waited: the time that the loop has waited for input up to now.
    init(at now: Int64 = 0, waited: Duration = .zero) {
        end = now + Self.longest
        self.waited = waited
    }

    /// To be asked after each step: whether the loop waited for half of it, or the output for long enough.
    mutating func isOver(at now: Int64, waited: Duration) -> Bool {
        defer { self.waited = waited }
        return now >= end || waited - self.waited >= Self.step / 2
    }
}
