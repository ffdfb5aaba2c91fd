/// How long to wait before the next attempt: a random time below a bound that doubles (full jitter), so that instances
/// which lost the same server do not come back all at once.
public struct Backoff: Sendable {
    private let base: Int64
    private let limit: Int64
    private var bound: Int64

    /// - Parameters: milliseconds.
    public init(base: Int64, limit: Int64) {
        self.base = max(1, base)
        self.limit = max(self.base, limit)
        bound = self.base
    }

    public mutating func next(using random: inout some RandomNumberGenerator) -> Int64 {
        defer { bound = min(limit, bound * 2) }
        return .random(in: 0...bound, using: &random)
    }

    public mutating func reset() { bound = base }
}
