/// How long to wait before the next attempt: a random time below a bound that doubles (full jitter), so that instances
/// which lost the same server do not come back all at once. Counts in whole milliseconds.
public struct Backoff: Sendable {
    private let base: Int64
    private let limit: Int64
    private var bound: Int64

    /// - Parameters:
    ///   - base: the first bound, at least a millisecond.
    ///   - limit: the largest bound.
    public init(base: Duration, limit: Duration) {
        self.init(base: Self.milliseconds(base), limit: Self.milliseconds(limit))
    }

    /// - Parameters: milliseconds.
    public init(base: Int64, limit: Int64) {
        self.base = max(1, base)
        self.limit = max(self.base, limit)
        bound = self.base
    }

    /// The time before the next attempt; the bound of the one behind it is twice as large.
    public mutating func nextDelay(using random: inout some RandomNumberGenerator) -> Duration {
        .milliseconds(next(using: &random))
    }

    /// The time before the next attempt, in milliseconds.
    public mutating func next(using random: inout some RandomNumberGenerator) -> Int64 {
        defer { bound = min(limit, bound * 2) }
        return .random(in: 0...bound, using: &random)
    }

    private static func milliseconds(_ span: Duration) -> Int64 {
        let (seconds, attoseconds) = span.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    /// Starts again with the first bound: an attempt succeeded.
    public mutating func reset() { bound = base }
}
