import ChatDomain

/// The users whose presence this instance keeps: those with a session here, those that are followed, and all users that are
/// present while everybody is followed. Decides whom Redis is asked about, and which of its statements are new.
///
/// An answer and news about the same user come over two connections, so either may be the older one. News is taken when its
/// version is newer. An answer is also taken when nothing came since it was asked for: then it is the newest, even if Redis lost
/// data or its clock was set back. All users are asked about again every 30 seconds, as news may be lost.
struct FollowedUsers {
    /// Between two rounds of questions about all users that are kept.
    static let interval: Duration = .seconds(30)
    /// Users of one question, so that it does not hold up other commands.
    static let usersAtOnce = 500
    /// How long everybody is kept after the last client stopped to watch everybody. Clients reconnect, and reading all users
    /// again costs more than to keep them for a while.
    static let everybodyKeptFor: Duration = .seconds(30)
    /// The cursor before the first page of all users, and behind the last one.
    static let firstCursor = "0"

    private struct Entry {
        var followers: Int32 = 0
        var isLocal = false
        /// Whether something was delivered of the user.
        var isKnown = false
        /// Whether Redis is to be asked, or has not answered yet.
        var isQueued = false
        /// When something was taken in last, by `clock`.
        var takenAt: UInt64 = 0
        var version: Int64?
    }

    /// A question on its way, with when it was asked by `clock`.
    private struct Question {
        let number: UInt64
        let askedAt: UInt64
        /// nil for a page of all users.
        let users: [UserID]?
        /// How many users had been taken from the queue.
        let taken: UInt64
    }

    private enum Round {
        case users(ArraySlice<UserID>)
        /// - Parameters:
        ///   - began: when the first page was asked for, by `clock`.
        ///   - time: when that was by Redis's clock, once the first page has come.
        case scan(cursor: String, began: UInt64, time: Int64?)
    }

    /// What an answer comes to.
    struct Outcome {
        var learned: [UserPresence] = []
        var compared: [UserPresence] = []
        var forgotten: [UserID] = []
        var loaded: [UInt64] = []
    }

    enum Verdict {
        /// The first that is known of a user that is kept.
        case first
        case change
        /// Of a user that is not kept, or older than what is known.
        case passes
    }

    private var entries: [UserID: Entry] = [:]
    /// Counts questions and what is taken in.
    private var clock: UInt64 = 0
    private var lastNumber: UInt64 = 0
    private var question: Question?
    private var round: Round?
    /// When the last round began; nil when one is due.
    private var roundBegan: Moment?

    /// Whether nothing can be asked. All users are asked about once that is over.
    private var isPaused = true
    private var queue = LoadQueue()
    /// Users that nothing is known of, whose presence comes with the answer to a connection, and the callers that wait for it.
    private var arrivals: [UserID: [UInt64]] = [:]

    private var everybodyFollowers = 0
    /// Whether a user without an entry is known to be gone.
    private var isEverybodyKnown = false
    private var everybodyEnds: Moment?
    /// Users without an entry were gone at this version.
    private var goneSince: Int64?

    /// How many users are kept.
    var count: Int { entries.count }
    func keeps(_ user: UserID) -> Bool { entries[user] != nil }

    private var keepsEverybody: Bool { everybodyFollowers > 0 || everybodyEnds != nil }

    // MARK: Which users are kept

    mutating func follow(_ users: [UserID]) {
        for user in users {
            keep(user) { $0.followers += 1 }
            enqueue(user)
        }
    }

    /// - Returns: the users that are not kept any more.
    mutating func unfollow(_ users: [UserID]) -> [UserID] {
        users.filter { user in
            guard let entry = entries[user], entry.followers > 0 else { return false }
            entries[user]?.followers -= 1
            return dropIfUnused(user)
        }
    }

    /// A session of the user comes here. Where no session here follows the user, Redis' answer says how the user stands: see
    /// `receivedArrival`. Of a user that is followed the news is to come first, which is announced.
    mutating func beginLocal(_ user: UserID) {
        keep(user) { $0.isLocal = true }
        guard !isPaused, let entry = entries[user], !entry.isKnown, !entry.isQueued else { return }
        guard entry.followers == 0, !keepsEverybody else { return enqueue(user) }
        if arrivals[user] == nil { arrivals[user] = [] }
    }

    /// A user's last session here is gone.
    ///
    /// - Returns: whether the user is not kept any more.
    mutating func endLocal(_ user: UserID) -> Bool {
        entries[user]?.isLocal = false
        return dropIfUnused(user)
    }

    /// How a user stands was delivered by what is known here, without Redis.
    mutating func didDeliver(_ user: UserID) {
        entries[user]?.isKnown = true
        entries[user]?.version = nil
    }

    /// A user without an entry is gone where everybody is known.
    private var unknown: Entry { Entry(isKnown: isEverybodyKnown, version: isEverybodyKnown ? goneSince : nil) }

    private mutating func keep(_ user: UserID, _ change: (inout Entry) -> Void) {
        var entry = entries[user] ?? unknown
        change(&entry)
        entries[user] = entry
    }

    private mutating func enqueue(_ user: UserID) {
        guard !isPaused, let entry = entries[user], !entry.isKnown, !entry.isQueued else { return }
        entries[user]?.isQueued = true
        queue.add(user)
    }

    private mutating func dropIfUnused(_ user: UserID) -> Bool {
        guard !keepsEverybody, let entry = entries[user], entry.followers == 0, !entry.isLocal else { return false }
        entries[user] = nil
        return true
    }

    mutating func followEverybody() {
        if !keepsEverybody { repeatSoon() }
        everybodyFollowers += 1
        everybodyEnds = nil
    }

    mutating func unfollowEverybody(at now: Moment) {
        everybodyFollowers = max(everybodyFollowers - 1, 0)
        if everybodyFollowers == 0 { everybodyEnds = now + Self.everybodyKeptFor }
    }

    /// - Returns: the users that are not kept any more.
    mutating func dropEverybodyWhenDue(at now: Moment) -> [UserID] {
        guard let everybodyEnds, now >= everybodyEnds else { return [] }
        self.everybodyEnds = nil
        isEverybodyKnown = false
        if case .scan = round { repeatSoon() }
        let dropped = entries.filter { $0.value.followers == 0 && !$0.value.isLocal }.map(\.key)
        for user in dropped { entries[user] = nil }
        return dropped
    }

    /// - Returns: whether all these users are known, or cannot be asked about; else `ticket` is among those loaded by a later answer.
    mutating func load(_ users: [UserID], ticket: UInt64) -> Bool {
        let missing = users.filter { entries[$0].map { !$0.isKnown } ?? false }
        guard !isPaused, let first = missing.first else { return true }
        if missing.count == 1, arrivals[first] != nil {
            arrivals[first]?.append(ticket)
            return false
        }
        for user in missing { enqueue(user) }
        queue.wait(ticket)
        return false
    }

    // MARK: Asking

    /// The next question; nil while one is on its way, or there is none.
    mutating func takeRequest() -> DirectoryRequest? {
        guard question == nil else { return nil }
        if !queue.isEmpty { return ask(queue.take(Self.usersAtOnce)) }
        switch round {
        case .users(let left) where !left.isEmpty:
            let users = Array(left.prefix(Self.usersAtOnce))
            round = .users(left.dropFirst(users.count))
            return ask(users)
        case .scan(let cursor, _, _):
            return .scanUsers(cursor: cursor, number: begin(nil).number)
        case .users, nil: return nil
        }
    }

    private mutating func ask(_ users: [UserID]) -> DirectoryRequest {
        .readUsers(users, number: begin(users).number)
    }

    private mutating func begin(_ users: [UserID]?) -> Question {
        clock += 1
        lastNumber += 1
        let begun = Question(number: lastNumber, askedAt: clock, users: users, taken: queue.taken)
        question = begun
        return begun
    }

    /// Begins a round over all users that are kept, unless one is under way.
    mutating func beginRoundWhenDue(at now: Moment) {
        guard round == nil, roundBegan.map({ now >= $0 + Self.interval }) ?? true else { return }
        roundBegan = now
        clock += 1
        if keepsEverybody {
            round = .scan(cursor: Self.firstCursor, began: clock, time: nil)
        } else if !entries.isEmpty {
            round = .users(Array(entries.keys)[...])
        }
    }

    /// The next heartbeat begins a round.
    private mutating func repeatSoon() {
        round = nil
        roundBegan = nil
    }

    /// Nothing can be asked until `resume`.
    ///
    /// - Returns: the callers of `load` that are answered now.
    mutating func pause() -> [UInt64] {
        isPaused = true
        return abandon()
    }

    mutating func resume() { isPaused = false }

    /// News may have been missed, or an answer is missing: all users are to be asked about again.
    ///
    /// - Returns: the callers of `load` that are answered now.
    mutating func abandon() -> [UInt64] {
        let (users, tickets) = queue.removeAll()
        for user in users + (question?.users ?? []) { entries[user]?.isQueued = false }
        let waiting = arrivals.values.joined()
        arrivals = [:]
        question = nil
        repeatSoon()
        return tickets + waiting
    }

    // MARK: What Redis says

    mutating func receivedNews(_ statement: PresenceStatement) -> Verdict {
        let user = statement.presence.user.userID
        guard let entry = entries[user] else {
            guard keepsEverybody, statement.isNewer(than: goneSince) else { return .passes }
            if !statement.presence.isGone { take(statement, into: unknown) }
            return isEverybodyKnown ? .change : .first
        }
        guard statement.isNewer(than: entry.version) else { return .passes }
        take(statement, into: entry)
        _ = dropIfGone(statement.presence)
        return entry.isKnown ? .change : .first
    }

    /// Redis has taken a session of the user that came here.
    ///
    /// - Parameter statement: how the user stands with it; nil where the answer did not say, so that Redis is to be asked.
    mutating func receivedArrival(_ statement: PresenceStatement?, of user: UserID) -> Outcome {
        var outcome = Outcome()
        guard let waiting = arrivals.removeValue(forKey: user) else { return outcome }
        if let entry = entries[user], !entry.isKnown, !isPaused {
            guard let statement else {
                enqueue(user)
                for ticket in waiting { queue.wait(ticket) }
                return outcome
            }
            take(statement, into: entry)
            outcome.learned = [statement.presence]
        }
        outcome.loaded = waiting
        return outcome
    }

    /// - Parameter mayJudge: whether a user that Redis does not have is gone for certain.
    mutating func receivedAnswer(
        _ answer: DirectoryAnswer, of number: UInt64, mayJudge: Bool
    ) -> Outcome {
        var outcome = Outcome()
        guard let asked = question, asked.number == number else { return outcome }
        guard case .users(let statements, let time, let next) = answer else {
            outcome.loaded = abandon()
            return outcome
        }
        question = nil
        for statement in statements { weigh(statement, asked, mayJudge, &outcome) }
        if let users = asked.users {
            let found = Set(statements.map(\.presence.user.userID))
            for user in users where !found.contains(user) {
                weigh(PresenceStatement(presence: .gone(user), version: time), asked, mayJudge, &outcome)
            }
            outcome.loaded = queue.didAnswer(asked.taken)
            if case .users(let left) = round, left.isEmpty { round = nil }
        } else {
            didScan(time, next, asked, mayJudge, &outcome)
        }
        return outcome
    }

    private mutating func didScan(
        _ time: Int64, _ next: String?, _ asked: Question, _ mayJudge: Bool, _ outcome: inout Outcome
    ) {
        guard case .scan(_, let began, let first) = round, asked.askedAt > began else { return }
        guard next == nil else {
            return round = .scan(cursor: next ?? Self.firstCursor, began: began, time: first ?? time)
        }
        round = nil
        let whole = Question(number: asked.number, askedAt: began, users: nil, taken: asked.taken)
        for user in entries.filter({ $0.value.takenAt <= began }).keys {
            weigh(PresenceStatement(presence: .gone(user), version: first ?? time), whole, mayJudge, &outcome)
        }
        goneSince = first ?? time
        isEverybodyKnown = keepsEverybody
    }

    private mutating func weigh(
        _ statement: PresenceStatement, _ asked: Question, _ mayJudge: Bool, _ outcome: inout Outcome
    ) {
        let user = statement.presence.user.userID
        guard var entry = entries[user] ?? (keepsEverybody && !statement.presence.isGone ? unknown : nil) else {
            return
        }
        if asked.users != nil { entry.isQueued = false }
        entries[user] = entry
        let isSuperseded = entry.takenAt > asked.askedAt && !statement.isNewer(than: entry.version)
        guard !isSuperseded else { return }
        if statement.presence.isGone, !mayJudge {
            // Until every lease had its time other instances may be registering again, as this one was.
            roundBegan = nil
            guard !entry.isKnown else { return }
        }
        take(statement, into: entry)
        if !entry.isKnown {
            outcome.learned.append(statement.presence)
        } else if statement.presence.isGone || statement.version == nil || statement.version != entry.version {
            // The version of a user who is gone is the time of the answer. Else the same version says the same.
            outcome.compared.append(statement.presence)
        }
        if dropIfGone(statement.presence) { outcome.forgotten.append(user) }
    }

    private mutating func take(_ statement: PresenceStatement, into entry: Entry) {
        clock += 1
        var entry = entry
        (entry.isKnown, entry.takenAt, entry.version) = (true, clock, statement.version)
        entries[statement.presence.user.userID] = entry
    }

    /// Where everybody is kept, only users that are present are, and those that would be kept anyway.
    private mutating func dropIfGone(_ presence: UserPresence) -> Bool {
        guard presence.isGone, let entry = entries[presence.user.userID], entry.followers == 0, !entry.isLocal else {
            return false
        }
        entries[presence.user.userID] = nil
        return true
    }

    /// What was taken in of a user is to be compared with Redis once more.
    mutating func doubt(_ user: UserID) { entries[user]?.version = nil }

    /// News was missed, so versions of before say nothing about what comes.
    mutating func forgetVersions() {
        goneSince = nil
        for user in entries.keys { entries[user]?.version = nil }
    }

    /// Redis is away for long: of all users that are kept, only those with a session here count as present.
    ///
    /// - Returns: the others, and of those the ones that are not kept any more.
    mutating func isolate() -> (gone: [UserPresence], forgotten: [UserID]) {
        forgetVersions()
        let gone = entries.filter { !$0.value.isLocal && $0.value.isKnown }.map { UserPresence.gone($0.key) }
        return (gone, gone.filter { dropIfGone($0) }.map(\.user.userID))
    }
}
