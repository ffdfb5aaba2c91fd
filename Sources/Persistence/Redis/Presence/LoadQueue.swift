import ChatDomain

/// Users that Redis is asked about before all others, because nothing is known of them, and the callers that wait for that.
struct LoadQueue {
    private var users: [UserID] = []
    /// How many users were added ever, and how many of the first of them were answered.
    private var added: UInt64 = 0
    private var answered: UInt64 = 0
    /// Callers, with how many users must be answered for each; in that order.
    private var waiting: [(ticket: UInt64, place: UInt64)] = []

    var isEmpty: Bool { users.isEmpty }

    /// How many users were taken ever.
    var taken: UInt64 { added - UInt64(users.count) }

    mutating func add(_ user: UserID) {
        users.append(user)
        added += 1
    }

    mutating func take(_ count: Int) -> [UserID] {
        let taken = Array(users.prefix(count))
        users.removeFirst(taken.count)
        return taken
    }

    /// The caller waits for all users that were added before.
    mutating func wait(_ ticket: UInt64) { waiting.append((ticket, added)) }

    /// All users were answered that were taken until `taken` had this value.
    ///
    /// - Returns: the callers that need not wait any more.
    mutating func didAnswer(_ taken: UInt64) -> [UInt64] {
        answered = max(answered, taken)
        let done = waiting.prefix { $0.place <= answered }.map(\.ticket)
        waiting.removeFirst(done.count)
        return done
    }

    /// - Returns: the users that were not taken, and all callers.
    mutating func removeAll() -> (users: [UserID], tickets: [UInt64]) {
        let left = take(users.count)
        return (left, didAnswer(added))
    }
}
