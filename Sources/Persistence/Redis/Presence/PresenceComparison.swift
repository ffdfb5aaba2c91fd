import ChatDomain

/// One reading of all users in Redis, beside the changes that come meanwhile.
///
/// Changes that come while the pages are read are newer than the pages. A mark is published behind the last page. When it has
/// come back, every change that is older than the pages has come before it. Without both, a user who has just connected would
/// seem to be gone, or an outdated change would be delivered behind the result.
struct PresenceComparison {
    /// A mark comes back within this time, or the subscription counts as broken.
    private static let catchUpTime: Duration = .seconds(1)

    /// Answers to an earlier comparison have another number.
    let number: UInt64
    private var found: [UserID: UserPresence] = [:]
    private var changed: [UserID: UserPresence] = [:]
    private(set) var mark: UInt64?
    /// When the mark must have come back; nil until Redis has published it.
    private(set) var deadline: Moment?

    init(number: UInt64) { self.number = number }

    mutating func didRead(_ users: [UserPresence]) {
        for presence in users { found[presence.user.userID] = presence }
    }

    mutating func didReceive(_ change: UserPresence) { changed[change.user.userID] = change }

    /// All pages are read.
    mutating func awaitMark(_ mark: UInt64) { self.mark = mark }

    mutating func didPublishMark(at now: Moment) { deadline = now + Self.catchUpTime }

    /// Users who have a session now.
    var result: [UserPresence] {
        let later = changed.filter { $0.value.actualStatus != .offline || $0.value.sessions > 0 }
        return found.filter { changed[$0.key] == nil }.map(\.value) + later.map(\.value)
    }
}
