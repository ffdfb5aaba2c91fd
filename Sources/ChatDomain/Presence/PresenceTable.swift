/// Sessions by user, and what changes for others when one comes, changes or goes. A value: the time is given.
public struct PresenceTable: Sendable {
    private var users: [UserID: UserSessions] = [:]
    /// Users others see online.
    public private(set) var onlineCount = 0
    /// Those users in the order of their ids, once they were listed; kept up to date from then on.
    private var order: [UserID]?

    public init() {}

    /// How a user with sessions stands; nil for one without.
    public func presence(of user: UserID) -> UserPresence? { users[user]?.presence(of: user) }

    /// Something came from a user; a hidden user leaves no trace of it.
    public mutating func see(_ user: UserID, at now: Timestamp) { users[user]?.see(at: now) }

    public var all: [UserPresence] { users.map { $1.presence(of: $0) } }

    /// The users after `cursor` that others see online, ordered by id; at most `limit`.
    public mutating func online(after cursor: UserID?, limit: Int) -> OnlineSlice {
        let order = order ?? users.lazy.filter { $0.value.status.isOnline }.map(\.key).sorted()
        self.order = order
        var start = cursor.map(order.place) ?? 0
        if start < order.count, order[start] == cursor { start += 1 }
        let shown = order[start...].prefix(max(limit, 0))
        return OnlineSlice(
            users: shown.compactMap(presence), next: shown.endIndex < order.count ? shown.last : nil,
            count: order.count)
    }

    /// A user's connected sessions, the oldest first.
    public func sessions(of user: UserID) -> [SessionRecord] { users[user]?.liveRecords(of: user) ?? [] }

    /// All sessions, those in their grace period too.
    public var records: [SessionRecord] { users.flatMap { $1.records(of: $0) } }

    /// A user's sessions, those in their grace period too.
    public func records(of user: UserID) -> [SessionRecord] { users[user]?.records(of: user) ?? [] }

    /// Adds a session, in place of one with the same id.
    ///
    /// - Parameter limit: sessions a user may have; 0 for no limit.
    /// - Returns: how the user stands now where that changed, and the sessions that must give way, the oldest first.
    public mutating func connect(
        _ record: SessionRecord, limit: Int, at now: Timestamp
    ) -> (change: UserPresence?, evicted: [SessionRecord]) {
        var evicted: [SessionRecord] = []
        let change = change(of: record.user.userID, from: record.user, at: now) {
            evicted = $0.connect(record, limit: limit, at: now)
        }
        return (change, evicted)
    }

    /// An unknown session is passed over.
    public mutating func update(
        _ session: SessionID, of user: UserID, _ update: SessionUpdate, at now: Timestamp
    ) -> UserPresence? {
        guard users[user] != nil else { return nil }
        return change(of: user, from: nil, at: now) { $0.apply(update, to: session, at: now) }
    }

    /// Takes a session out for good; it takes no other with it.
    public mutating func remove(_ session: SessionID, of user: UserID, at now: Timestamp) -> UserPresence? {
        guard users[user] != nil else { return nil }
        return change(of: user, from: nil, at: now) { $0.remove(session, at: now) }
    }

    private mutating func change(
        of id: UserID, from user: RoomUser?, at now: Timestamp, _ body: (inout UserSessions) -> Void
    ) -> UserPresence? {
        let found = users.removeValue(forKey: id)
        guard var sessions = found ?? user.map({ UserSessions($0, at: now) }) else { return nil }
        let before = found?.presence(of: id)
        body(&sessions)
        let after = sessions.presence(of: id)
        if !sessions.isEmpty { users[id] = sessions }
        let isOnline = !sessions.isEmpty && after.status.isOnline
        if isOnline != before?.status.isOnline ?? false { setOnline(id, isOnline) }
        return before == after ? nil : after
    }

    private mutating func setOnline(_ user: UserID, _ isOnline: Bool) {
        onlineCount += isOnline ? 1 : -1
        guard let place = order?.place(of: user) else { return }
        if isOnline { order?.insert(user, at: place) } else { order?.remove(at: place) }
    }
}
