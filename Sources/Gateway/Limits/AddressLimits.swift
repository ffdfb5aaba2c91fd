import ChatDomain
import EventLoop
import Synchronization

/// How often an address may connect, shared by all shards.
final class AddressLimits: Sendable {
    /// Addresses remembered at most; past that, those whose allowance is whole again are forgotten first.
    private static let capacity = 65_536

    private let buckets = Mutex<[IPAddress: TokenBucket]>([:])
    private let rate: Int
    private var burst: Int { rate * 4 }

    /// - Parameter rate: connections a second and address, 0 for no limit.
    init(rate: Int) { self.rate = rate }

    /// Counts a connection; the milliseconds to wait when it is one too many.
    func countConnection(from address: IPAddress, at now: Moment) -> Int64? {
        guard rate > 0 else { return nil }
        return buckets.withLock { buckets in
            if buckets.count >= Self.capacity, buckets[address] == nil { sweep(&buckets, at: now) }
            return buckets[address, default: TokenBucket(burst: burst, at: now)].take(rate: rate, burst: burst, at: now)
        }
    }

    /// Addresses remembered.
    var count: Int { buckets.withLock { $0.count } }

    func sweep(at now: Moment) { buckets.withLock { sweep(&$0, at: now) } }

    private func sweep(_ buckets: inout [IPAddress: TokenBucket], at now: Moment) {
        for (address, var bucket) in buckets where bucket.isFull(rate: rate, burst: burst, at: now) {
            buckets[address] = nil
        }
        if buckets.count >= Self.capacity { buckets.removeAll() }
    }
}
