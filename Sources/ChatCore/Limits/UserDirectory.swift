import ChatDomain
import Synchronization

/// Users with their sessions on this instance and their message allowance, shared by all shards.
///
/// Each instance has a bucket of its own for a user, and takes from it the usage that other instances report. Usage is reported
/// in portions, and only for users that have used up a good part of their allowance.
package final class UserDirectory: Sendable {
    fileprivate struct Allowance {
        var bucket: TokenBucket
        /// Messages counted here since the bucket was last full that were not reported to other instances.
        var unreported = 0
    }

    private struct Users {
        var sessions: [UserID: SmallSet<SessionAddress>] = [:]
        /// Of users whose bucket may not be full.
        var allowances: [UserID: Allowance] = [:]
    }

    /// Users remembered at most for what they spent elsewhere.
    private static let capacity = 131_072

    private let users = Mutex(Users())
    private let usages = Mutex<[UserID: Int]>([:])
    private let liveRate: Atomic<Int>
    private var rate: Int { messageRate }
    private var burst: Int { rate * 3 }
    private var portion: Int { max(1, burst / 8) }

    /// - Parameter messageRate: messages a second and user, 0 for no limit.
    package init(messageRate: Int) { liveRate = Atomic(messageRate) }

    /// Messages a second and user, 0 for no limit; a reload may replace it.
    package var messageRate: Int {
        get { liveRate.load(ordering: .relaxed) }
        set { liveRate.store(newValue, ordering: .relaxed) }
    }

    package func add(_ session: SessionAddress, of user: UserID) {
        users.withLock { _ = $0.sessions[user, default: SmallSet()].insert(session) }
    }

    /// A user that reconnects at once finds the allowance as it was left.
    package func remove(_ session: SessionAddress, of user: UserID) {
        users.withLock { users in
            users.sessions[user]?.remove(session)
            if users.sessions[user]?.isEmpty == true { users.sessions[user] = nil }
        }
    }

    /// Users with sessions here.
    package var present: [UserID] { users.withLock { Array($0.sessions.keys) } }

    /// Users whose allowance is remembered.
    package var count: Int { users.withLock { $0.allowances.count } }

    /// Where a user's sessions live, in no order.
    package func sessions(of user: UserID) -> SmallSet<SessionAddress> {
        users.withLock { $0.sessions[user] ?? SmallSet() }
    }

    package enum Verdict: Hashable, Sendable {
        case allowed
        /// Allowed, and `takeUnreportedUsage` has something where there was nothing.
        case allowedWithReport
        case tooFast(wait: Duration)
    }

    /// Counts a message, unless it is one too many.
    package func countMessage(of user: UserID, at now: Moment) -> Verdict {
        guard rate > 0 else { return .allowed }
        let (wait, told) = users.withLock { users -> (Duration?, Int) in
            users.allowances[user, default: Allowance(bucket: TokenBucket(burst: burst, at: now))]
                .count(rate, burst, portion, at: now)
        }
        if let wait { return .tooFast(wait: wait) }
        guard told > 0 else { return .allowed }
        return usages.withLock { usages in
            defer { usages[user, default: 0] += told }
            return usages.isEmpty ? .allowedWithReport : .allowed
        }
    }

    /// Usage of users here that was not reported to other instances, as far as it matters.
    package func takeUnreportedUsage() -> [UserID: Int] {
        usages.withLock { usages in
            defer { usages = [:] }
            return usages
        }
    }

    /// Takes what a user spent on another instance.
    package func noteUsageElsewhere(_ count: Int, of user: UserID, at now: Moment) {
        guard rate > 0 else { return }
        users.withLock { users in
            guard
                users.allowances[user] != nil || users.sessions[user] != nil || users.allowances.count < Self.capacity
            else { return }
            users.allowances[user, default: Allowance(bucket: TokenBucket(burst: burst, at: now))].bucket
                .spend(count, rate: rate, burst: burst, at: now)
        }
    }

    /// Forgets allowances that are whole again. Called periodically.
    package func sweep(at now: Moment) {
        users.withLock { users in
            for (user, var allowance) in users.allowances
            where allowance.bucket.isFull(rate: rate, burst: burst, at: now) {
                users.allowances[user] = nil
            }
        }
    }
}

extension UserDirectory.Allowance {
    /// Takes from the bucket; the time to wait, and how many messages are to be reported now.
    fileprivate mutating func count(
        _ rate: Int, _ burst: Int, _ portion: Int, at now: Moment
    ) -> (wait: Duration?, told: Int) {
        if bucket.isFull(rate: rate, burst: burst, at: now) { unreported = 0 }
        if let wait = bucket.take(rate: rate, burst: burst, at: now) { return (wait, 0) }
        unreported += 1
        guard unreported >= portion else { return (nil, 0) }
        defer { unreported = 0 }
        return (nil, unreported)
    }
}
