/// The users that began or ceased to type in a big room since the last announcement. Announcements go out once a second, omit
/// changes that were reversed meanwhile, and name a few users at a time, because each goes to thousands of members.
struct TypingNews: Sendable {
    /// Between two times of telling.
    static let interval: Duration = .seconds(1)
    /// Users of one announcement.
    static let limit = 20

    private var changes: [UserID: (user: RoomUser, isTyping: Bool, number: Int)] = [:]
    private var lastNumber = 0
    private var told: Moment?
    /// When `take` has something; nil when there is nothing.
    private(set) var due: Moment?

    var isEmpty: Bool { changes.isEmpty }

    mutating func note(_ user: RoomUser, isTyping: Bool, at now: Moment) {
        // A change that was not announced need not be reversed.
        if let earlier = changes[user.userID], earlier.isTyping != isTyping {
            changes[user.userID] = nil
        } else {
            lastNumber += 1
            changes[user.userID] = (user, isTyping, lastNumber)
        }
        due = changes.isEmpty ? nil : due ?? told.map { max(now, $0 + Self.interval) } ?? now
    }

    /// The news due now, the oldest first.
    mutating func take(at now: Moment) -> [(user: RoomUser, isTyping: Bool)] {
        guard let due, due <= now else { return [] }
        let first = changes.values.sorted { $0.number < $1.number }.prefix(Self.limit)
        for change in first { changes[change.user.userID] = nil }
        told = now
        self.due = changes.isEmpty ? nil : now + Self.interval
        return first.map { ($0.user, $0.isTyping) }
    }
}
