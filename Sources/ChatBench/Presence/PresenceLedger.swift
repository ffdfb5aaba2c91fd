import ChatDomain

/// Records which changes of status each watcher is owed, and which it received. A value: the time is given.
struct PresenceLedger {
    private struct Change {
        let status: PresenceStatus
        /// In microseconds.
        let madeAt: Int64
    }

    /// The users that each watcher named.
    private let watched: [Range<Int>]
    /// The changes of each user, in order.
    private var changes: [[Change]]
    /// How many changes each watcher received of each of its users.
    private var receivedCounts: [[Int]]
    private let watcherCounts: [Int]

    private(set) var owed = 0
    private(set) var delivered = 0
    /// Announcements that were repeated, out of order, or about a change that was not made.
    private(set) var unexpected = 0
    /// From a change until a watcher received it, in microseconds.
    private(set) var latencies: [Int64] = []

    init(users: Int, watched: [Range<Int>]) {
        self.watched = watched
        changes = Array(repeating: [], count: users)
        receivedCounts = watched.map { Array(repeating: 0, count: $0.count) }
        watcherCounts = (0..<users).map { user in watched.count { $0.contains(user) } }
    }

    var missing: Int { owed - delivered }

    /// - Parameter now: in microseconds.
    mutating func expect(_ status: PresenceStatus, of user: Int, at now: Int64) {
        changes[user].append(Change(status: status, madeAt: now))
        owed += watcherCounts[user]
    }

    /// - Parameters:
    ///   - user: the number in the user's id as the server sent it; any number.
    ///   - now: in microseconds.
    mutating func received(_ status: PresenceStatus, of user: Int, by watcher: Int, at now: Int64) {
        guard watched[watcher].contains(user) else {
            unexpected += 1
            return
        }
        let index = user - watched[watcher].lowerBound
        let count = receivedCounts[watcher][index]
        guard changes[user].indices.contains(count), changes[user][count].status == status else {
            unexpected += 1
            return
        }
        receivedCounts[watcher][index] = count + 1
        delivered += 1
        latencies.append(now - changes[user][count].madeAt)
    }

    /// Returns the latencies and forgets them.
    mutating func takeLatencies() -> [Int64] {
        defer { latencies = [] }
        return latencies
    }
}
