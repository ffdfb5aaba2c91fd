import ChatDomain

/// This instance's sessions and their places in rooms, and what Redis has not been sent of them.
struct LocalPresence {
    /// Sessions, and places in rooms, whose end is remembered while Redis is away. The ends past this number are found when
    /// Redis's inventory is compared with what is here.
    static let maximumDepartures = 10_000

    private var table = PresenceTable()
    private var places: Set<RoomPlace> = []
    /// Sessions and places that ended while Redis could not be sent their end.
    private var endedSessions: [SessionID: UserID] = [:]
    private var leftPlaces: Set<RoomPlace> = []
    /// How many requests for a status of a user are on their way to Redis.
    private var statusRequests: [UserID: Int] = [:]

    // MARK: Reading

    /// Users with a session here.
    var all: [UserPresence] { table.all }
    var records: [SessionRecord] { table.records }
    func records(of user: UserID) -> [SessionRecord] { table.records(of: user) }
    var allPlaces: [RoomPlace] { Array(places) }

    func presence(of user: UserID) -> UserPresence? { table.presence(of: user) }
    func sessions(of user: UserID) -> [SessionRecord] { table.sessions(of: user) }
    /// Whether a user with one session here has no status that another instance, where the user comes next, would have to take over.
    func leavesNothingBehind(_ user: UserID) -> Bool {
        let sessions = table.sessions(of: user)
        return sessions.count == 1 && sessions[0].requestedStatus == .online
    }
    var onlineCount: Int { table.onlineCount }
    mutating func online(after cursor: UserID?, limit: Int) -> OnlineSlice { table.online(after: cursor, limit: limit) }
    func contains(_ place: RoomPlace) -> Bool { places.contains(place) }

    // MARK: Changes

    /// - Parameter limit: sessions that a user may have; 0 for no limit.
    mutating func connect(
        _ record: SessionRecord, limit: Int
    ) -> (change: UserPresence?, evicted: [SessionRecord]) {
        endedSessions[record.id] = nil
        return table.connect(record, limit: limit, at: record.connectedAt)
    }

    mutating func update(
        _ session: SessionID, of user: UserID, _ update: SessionUpdate, at time: Timestamp
    ) -> UserPresence? {
        table.update(session, of: user, update, at: time)
    }

    mutating func remove(_ session: SessionID, of user: UserID, at time: Timestamp) -> UserPresence? {
        table.remove(session, of: user, at: time)
    }

    mutating func setPresent(_ place: RoomPlace, _ isPresent: Bool) {
        if isPresent { places.insert(place) } else { places.remove(place) }
    }

    // MARK: What Redis has not been sent

    /// The end of a session could not be sent.
    mutating func noteUnsentRemoval(of session: SessionID, _ user: UserID) {
        if endedSessions.count < Self.maximumDepartures { endedSessions[session] = user }
    }

    /// A change of a place could not be sent.
    mutating func noteUnsent(_ place: RoomPlace, isPresent: Bool) {
        if isPresent {
            leftPlaces.remove(place)
        } else if leftPlaces.count < Self.maximumDepartures {
            leftPlaces.insert(place)
        }
    }

    mutating func takeDepartures() -> (sessions: [SessionID: UserID], places: Set<RoomPlace>) {
        defer { (endedSessions, leftPlaces) = ([:], []) }
        return (endedSessions, leftPlaces)
    }

    // MARK: What other instances change

    /// A status was requested here and is on its way to Redis: news of the user that comes before the answer is older.
    mutating func didSendStatusRequest(of user: UserID) { statusRequests[user, default: 0] += 1 }

    mutating func didAnswerStatusRequest(of user: UserID) {
        let left = (statusRequests[user] ?? 1) - 1
        statusRequests[user] = left > 0 ? left : nil
    }

    /// Takes over the status that the user's sessions elsewhere gave a new session, unless another was requested meanwhile.
    mutating func adopt(_ status: PresenceStatus, for record: SessionRecord, at time: Timestamp) {
        let user = record.user.userID
        guard statusRequests[user] == nil else { return }
        _ = table.update(record.id, of: user, .requestedStatus(status), at: time)
    }

    /// Follows the news of a user who is hidden, or shown again, by a session elsewhere. The user's sessions here then have
    /// that status too, also when Redis goes away.
    mutating func follow(_ news: UserPresence) {
        let user = news.user.userID
        guard statusRequests[user] == nil, let here = table.presence(of: user),
            let session = table.sessions(of: user).first
        else { return }
        let isHiddenHere = here.actualStatus == .invisible
        let status: PresenceStatus
        switch news.actualStatus {
        case .invisible where !isHiddenHere: status = .invisible
        case .online, .away, .busy:
            guard isHiddenHere else { return }
            status = session.isIdle ? .online : news.actualStatus
        case .invisible, .offline: return
        }
        _ = table.update(session.id, of: user, .requestedStatus(status), at: news.lastSeen)
    }
}
