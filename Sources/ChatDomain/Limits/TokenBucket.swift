/// A rate limit: `rate` a second on average, bursts of up to `burst`.
public struct TokenBucket: Sendable {
    /// In thousandths of a token, so that integer milliseconds refill exactly.
    private var level: Int64
    private var updated: Moment

    public init(burst: Int, at now: Moment) {
        level = Int64(burst) * 1000
        updated = now
    }

    /// Takes one token; nil when there was one, else the time until there is, in whole milliseconds.
    public mutating func take(rate: Int, burst: Int, at now: Moment) -> Duration? {
        refill(rate: rate, burst: burst, at: now)
        guard level < 1000 else {
            level -= 1000
            return nil
        }
        return .milliseconds((1000 - level + Int64(rate) - 1) / Int64(max(rate, 1)))
    }

    /// Takes what was used elsewhere, whether it is there or not: the bucket may owe up to a whole burst.
    public mutating func spend(_ count: Int, rate: Int, burst: Int, at now: Moment) {
        refill(rate: rate, burst: burst, at: now)
        level = max(Int64(-burst) * 1000, level - Int64(min(max(count, 0), 2 * burst)) * 1000)
    }

    /// Whether forgetting this bucket would change nothing.
    public mutating func isFull(rate: Int, burst: Int, at now: Moment) -> Bool {
        refill(rate: rate, burst: burst, at: now)
        return level >= Int64(burst) * 1000
    }

    private mutating func refill(rate: Int, burst: Int, at now: Moment) {
        let elapsed = max(0, (now - updated).wholeMilliseconds)
        updated = max(updated, now)
        level = min(Int64(burst) * 1000, level + min(elapsed, 3_600_000) * Int64(rate))
    }
}
