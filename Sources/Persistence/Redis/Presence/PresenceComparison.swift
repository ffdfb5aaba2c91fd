import ChatDomain

/// Compares what was received with what Redis has, now and then, by reading all users.
///
/// Changes that come while the pages are read are newer than the pages. A mark is published behind the last page. When it has
/// come back, every change that is older than the pages has come before it. Without both, a user who has just connected would
/// seem to be gone, or an outdated change would be delivered behind the result.
struct PresenceComparison {
    /// Between two comparisons.
    static let interval: Duration = .seconds(30)
    /// The cursor before the first page of users, and behind the last one.
    static let firstCursor = "0"
    /// A mark comes back within this time, or the subscription counts as broken.
    private static let catchUpTime: Duration = .seconds(1)

    private struct Reading {
        /// Answers to an earlier reading have another number.
        let number: UInt64
        var found: [UserID: UserPresence] = [:]
        var changed: [UserID: UserPresence] = [:]
        /// The mark behind the last page; nil while pages are read.
        var mark: UInt64?
        /// When the mark must have come back; nil until Redis has published it.
        var deadline: Moment?

        /// Users that have a session now.
        var users: [UserPresence] {
            let later = changed.values.filter { $0.actualStatus != .offline || $0.sessions > 0 }
            return found.filter { changed[$0.key] == nil }.map(\.value) + later
        }
    }

    private var reading: Reading?
    private var readings: UInt64 = 0
    /// When the last reading began; nil when the next heartbeat is to begin one.
    private var beganAt: Moment?

    /// When `abandonWhenOverdue` is to be called.
    var deadline: Moment? { reading?.deadline }

    mutating func beginWhenDue(at now: Moment) -> DirectoryRequest? {
        let isDue = beganAt.map { now >= $0 + Self.interval } ?? true
        guard isDue, reading == nil else { return nil }
        beganAt = now
        readings += 1
        reading = Reading(number: readings)
        return .readUsers(cursor: Self.firstCursor, comparison: readings)
    }

    /// The next heartbeat begins a comparison, whatever became of the last one.
    mutating func repeatSoon() { beganAt = nil }

    mutating func abandon() {
        reading = nil
        repeatSoon()
    }

    mutating func abandonWhenOverdue(at now: Moment) {
        if let deadline, now >= deadline { abandon() }
    }

    mutating func didReceive(_ change: UserPresence) { reading?.changed[change.user.userID] = change }

    /// - Returns: what is sent next.
    mutating func didReadPage(
        _ answer: DirectoryAnswer, of number: UInt64, _ marks: inout ContactMarks
    ) -> DirectoryRequest? {
        guard reading?.number == number else { return nil }
        guard case .users(let users, let next) = answer else {
            abandon()
            return nil
        }
        for presence in users { reading?.found[presence.user.userID] = presence }
        if let next { return .readUsers(cursor: next, comparison: number) }
        let mark = marks.next()
        reading?.mark = mark
        return .publishMark(mark)
    }

    mutating func didPublish(_ mark: UInt64, _ answer: DirectoryAnswer, _ marks: inout ContactMarks, at now: Moment) {
        guard reading?.mark == mark else { return }
        guard case .published(let listeners) = answer else { return abandon() }
        marks.didPublish(listeners: listeners)
        if listeners > 0 { reading?.deadline = now + Self.catchUpTime } else { abandon() }
    }

    /// All users with a session, once the mark was published and has come back; nil before.
    mutating func takeResult(_ marks: ContactMarks) -> [UserPresence]? {
        guard let reading, let mark = reading.mark, reading.deadline != nil, marks.hasReceived(mark) else { return nil }
        self.reading = nil
        return reading.users
    }
}
