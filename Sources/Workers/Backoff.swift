/// How long to wait before the next attempt: a random time below a bound that doubles (full jitter), so that instances
/// which lost the same server do not come back all at once.
public struct Backoff: Sendable {
    private let base: Duration
    private let limit: Duration
    private var bound: Duration

    /// - Parameters:
    ///   - base: the first bound, at least a millisecond.
    ///   - limit: the largest bound.
    public init(base: Duration, limit: Duration) {
        self.base = max(.milliseconds(1), base)
        self.limit = max(self.base, limit)
        bound = self.base
    }

    /// The time before the next attempt. The bound of the one after it is twice as large.
    public mutating func nextDelay(using random: inout some RandomNumberGenerator) -> Duration {
        defer { bound = min(limit, bound * 2) }
        return bound * Double.random(in: 0...1, using: &random)
    }

    /// Starts again with the first bound: an attempt succeeded.
    public mutating func reset() { bound = base }
}
