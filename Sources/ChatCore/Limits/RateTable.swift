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
        var rate: Int
        var burst: Int

        func isWhole(_ bucket: TokenBucket, at now: Moment) -> Bool {
            var bucket = bucket
            return bucket.isFull(rate: rate, burst: burst, at: now)
        }
    }

    private let generations: Mutex<Generations>
    private let capacity: Int

    /// - Parameters:
    ///   - rate: how often a second, 0 for no limit.
    ///   - burst: how often at once, when nothing was counted before.
    package init(rate: Int, burst: Int, capacity: Int = 65_536) {
        generations = Mutex(Generations(rate: rate, burst: burst))
        self.capacity = capacity
    }

    /// Uses another rate from now on. What was counted stays counted.
    package func setRate(_ rate: Int, burst: Int) {
        generations.withLock { generations in
            generations.rate = rate
            generations.burst = burst
        }
    }

    /// Counts once more; the time to wait when that is once too often, which then does not count.
    package func count(_ key: Key, at now: Moment) -> Duration? {
        generations.withLock { generations in
            let (rate, burst) = (generations.rate, generations.burst)
            guard rate > 0 else { return nil }
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
        generations.withLock { generations in
            guard generations.rate > 0 else { return nil }
            var bucket = generations.young[key] ?? generations.old[key]
            return bucket?.take(rate: generations.rate, burst: generations.burst, at: now)
        }
    }

    /// How many are remembered.
    package var size: Int { generations.withLock { $0.young.count + $0.old.count } }

    /// Forgets keys whose allowance is whole again. Called periodically.
    package func sweep(at now: Moment) {
        generations.withLock { generations in
            let current = generations
            generations.young = current.young.filter { !current.isWhole($0.value, at: now) }
            generations.old = current.old.filter { !current.isWhole($0.value, at: now) }
        }
    }
}
