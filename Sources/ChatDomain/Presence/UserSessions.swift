/// One user's sessions on all devices, and what they come to together.
///
/// - The devices that are connected decide; the one that broke off last only while none is left.
/// - Of several, busy beats online, and online beats away. A device set to offline does not count.
/// - Invisible belongs to the user, not to a device: a user that sets it is hidden on all, and any other choice on any device
///   ends it. A new device of a hidden user is hidden too.
struct UserSessions: Sendable {
    /// In the order they came.
    private var sessions: [UserSession] = []
    private var username: String
    private var lastSeen: Timestamp

    init(_ user: RoomUser, at now: Timestamp) {
        username = user.username
        lastSeen = now
    }

    var isEmpty: Bool { sessions.isEmpty }
    private var live: [UserSession] { sessions.filter { !$0.isDisconnected } }

    /// - Parameter id: the user's own, which is not kept here.
    func records(of id: UserID) -> [SessionRecord] { sessions.map { $0.record(of: id) } }

    /// - Parameter id: the user's own.
    func liveRecords(of id: UserID) -> [SessionRecord] { live.map { $0.record(of: id) } }

    /// As the user's own devices see it.
    var status: PresenceStatus {
        let isConnected = sessions.contains { !$0.isDisconnected }
        let deciding = sessions.lazy.filter { !$0.isDisconnected || !isConnected }
        return deciding.map(\.status).max { $0.rank < $1.rank } ?? .offline
    }

    /// - Parameter id: the user's own, which is not kept here.
    func presence(of id: UserID) -> UserPresence {
        UserPresence(
            user: RoomUser(userID: id, username: username), actualStatus: status, lastSeen: lastSeen,
            sessions: sessions.count { !$0.isDisconnected })
    }

    /// Adds a session; those that must give way to it are returned, the oldest first.
    mutating func connect(_ record: SessionRecord, limit: Int, at now: Timestamp) -> [SessionRecord] {
        var session = UserSession(record)
        session.requestedStatus = inheritedStatus(by: record.id) ?? record.requestedStatus
        sessions.removeAll { $0.id == record.id }
        let others = live
        let excess = limit > 0 ? max(others.count + 1 - limit, 0) : 0
        let evicted = Array(others.prefix(excess))
        noteSight(at: now) { user in
            user.sessions.removeAll { session in evicted.contains { $0.id == session.id } }
            user.sessions.append(session)
            var named = RoomUser(userID: record.user.userID, username: user.username)
            named.update(record.user)
            user.username = named.username
        }
        return evicted.map { $0.record(of: record.user.userID) }
    }

    /// A user that is hidden stays hidden on a new device. A session that comes back after a break is as before it.
    private func inheritedStatus(by session: SessionID) -> PresenceStatus? {
        if sessions.contains(where: { $0.requestedStatus == .invisible }) { return .invisible }
        if let known = sessions.first(where: { $0.id == session }) { return known.requestedStatus }
        guard live.isEmpty else { return nil }
        return sessions.last?.requestedStatus
    }

    mutating func apply(_ update: SessionUpdate, to session: SessionID, at now: Timestamp) {
        guard sessions.contains(where: { $0.id == session }) else { return }
        // That nothing came for long is no sight of the user.
        if case .idle(let isIdle) = update { return change(session) { $0.isIdle = isIdle } }
        noteSight(at: now) { user in
            switch update {
            case .requestedStatus(let requestedStatus): user.set(requestedStatus, on: session)
            case .idle: break
            case .active:
                user.change(session) {
                    $0.isIdle = false
                    $0.lastActiveAt = now
                }
            case .renamed(let username):
                user.change(session) { $0.username = username }
                user.username = username
            case .disconnected:
                // Others keep the user in sight; what this one wished is over.
                let isNeeded = !user.live.contains { $0.id != session }
                if isNeeded {
                    user.change(session) { $0.isDisconnected = true }
                } else {
                    user.sessions.removeAll { $0.id == session }
                }
            }
        }
    }

    mutating func remove(_ session: SessionID, at now: Timestamp) {
        guard let known = sessions.first(where: { $0.id == session }) else { return }
        // A user in the grace period was last seen when the connection broke, not when the period ended.
        if known.isDisconnected {
            sessions.removeAll { $0.id == session }
        } else {
            noteSight(at: now) { $0.sessions.removeAll { $0.id == session } }
        }
    }

    private mutating func set(_ requestedStatus: PresenceStatus, on session: SessionID) {
        for index in sessions.indices {
            let isHidden = sessions[index].requestedStatus == .invisible
            if requestedStatus == .invisible || isHidden || sessions[index].id == session {
                sessions[index].requestedStatus = requestedStatus
            }
        }
    }

    private mutating func change(_ session: SessionID, _ body: (inout UserSession) -> Void) {
        guard let index = sessions.firstIndex(where: { $0.id == session }) else { return }
        body(&sessions[index])
    }

    /// Something came from the user.
    mutating func see(at now: Timestamp) { noteSight(at: now) { _ in } }

    /// Only what others can see counts as seeing a user: hidden users leave no trace of when they were there.
    private mutating func noteSight(at now: Timestamp, _ body: (inout Self) -> Void) {
        let wasOnline = status.isOnline
        body(&self)
        if wasOnline || status.isOnline { lastSeen = max(lastSeen, now) }
    }
}
