import ChatDomain
import Synchronization

/// A rate for each of many, such as addresses or users; shared by all shards.
///
/// Its memory is bounded: of more than `capacity` those idle longest are forgotten, and with them what they used up. The
/// buckets are kept in two generations. A bucket that counts moves into the young one; when that is half of the capacity,
/// it becomes the old one, and the old one goes.
package final class RateTable<Key: Hashable & Sendable>: Sendable {
    private struct Generations {
        var young: [Key: TokenBucket] = [:]
        var old: [Key: TokenBucket] = [:]
    }

    private let generations = Mutex(Generations())
    private let rate: Int
    private let burst: Int
    private let capacity: Int

    /// - Parameters:
    ///   - rate: how often a second, 0 for no limit.
    ///   - burst: how often at once, when nothing was counted before.
    package init(rate: Int, burst: Int, capacity: Int = 65_536) {
        self.rate = rate
        self.burst = burst
        self.capacity = capacity
    }

    /// Counts once more; the time to wait when that is once too often, which then does not count.
    package func count(_ key: Key, at now: Moment) -> Duration? {
        guard rate > 0 else { return nil }
        return generations.withLock { generations in
            var bucket =
                generations.young[key] ?? generations.old.removeValue(forKey: key) ?? TokenBucket(burst: burst, at: now)
            defer {
                generations.young[key] = bucket
                if generations.young.count >= capacity / 2 {
                    generations.old = generations.young
                    generations.young = [:]
                }
            }
            return bucket.take(rate: rate, burst: burst, at: now)
        }
    }

    /// The time until one more would be counted; nil when it would be now.
    package func wait(_ key: Key, at now: Moment) -> Duration? {
        guard rate > 0 else { return nil }
        return generations.withLock { generations in
            var bucket = generations.young[key] ?? generations.old[key]
            return bucket?.take(rate: rate, burst: burst, at: now)
        }
    }

    /// How many are remembered.
    package var size: Int { generations.withLock { $0.young.count + $0.old.count } }

    /// Forgets keys whose allowance is whole again. Called periodically.
    package func sweep(at now: Moment) {
        generations.withLock { generations in
            generations.young = generations.young.filter { !isWhole($0.value, at: now) }
            generations.old = generations.old.filter { !isWhole($0.value, at: now) }
        }
    }

    private func isWhole(_ bucket: TokenBucket, at now: Moment) -> Bool {
        var bucket = bucket
        return bucket.isFull(rate: rate, burst: burst, at: now)
    }
}
