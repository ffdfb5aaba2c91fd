import ChatDomain

/// Which changes of status are owed to which watchers, and which came. A value: the time is given.
struct PresenceLedger {
    private struct Change {
        let status: PresenceStatus
        let at: Int64
    }

    /// Whom each watcher named.
    private let watched: [Range<Int>]
    /// What each user did, in order.
    private var changes: [[Change]]
    /// How many changes each watcher has heard of each of its users.
    private var heard: [[Int]]
    private let watchersOf: [Int]

    private(set) var owed = 0
    private(set) var delivered = 0
    /// Changes told twice, out of order, or that nobody made.
    private(set) var unexpected = 0
    /// From what a user did until a watcher heard of it, in microseconds.
    private(set) var latencies: [Int64] = []

    init(users: Int, watched: [Range<Int>]) {
        self.watched = watched
        changes = Array(repeating: [], count: users)
        heard = watched.map { Array(repeating: 0, count: $0.count) }
        watchersOf = (0..<users).map { user in watched.count { $0.contains(user) } }
    }

    var missing: Int { owed - delivered }

    /// - Parameter now: in microseconds.
    mutating func expect(_ status: PresenceStatus, of user: Int, at now: Int64) {
        changes[user].append(Change(status: status, at: now))
        owed += watchersOf[user]
    }

    mutating func hear(_ status: PresenceStatus, of user: Int, by watcher: Int, at now: Int64) {
        guard watched[watcher].contains(user) else {
            unexpected += 1
            return
        }
        let index = user - watched[watcher].lowerBound
        let count = heard[watcher][index]
        guard changes[user].indices.contains(count), changes[user][count].status == status else {
            unexpected += 1
            return
        }
        heard[watcher][index] = count + 1
        delivered += 1
        latencies.append(now - changes[user][count].at)
    }

    /// From now on only new changes are measured.
    mutating func forgetLatencies() { latencies = [] }
}
