/// One user's sessions on all devices, and what they come to together.
///
/// - The devices that are connected decide; the one that broke off last only while none is left.
/// - Of several, busy beats online, and online beats away. A device set to offline does not count.
/// - Invisible belongs to the user, not to a device: a user that sets it is hidden on all, and any other choice on any device
///   ends it. A new device of a hidden user is hidden too.
struct UserSessions: Sendable {
    /// In the order they came.
    private(set) var records: [SessionRecord] = []
    private var username: String
    private var lastSeen: Timestamp

    init(_ user: RoomUser, at now: Timestamp) {
        username = user.username
        lastSeen = now
    }

    var isEmpty: Bool { records.isEmpty }
    var live: [SessionRecord] { records.filter { !$0.isDisconnected } }

    /// As the user's own devices see it.
    var status: PresenceStatus {
        let isConnected = records.contains { !$0.isDisconnected }
        let deciding = records.lazy.filter { !$0.isDisconnected || !isConnected }
        return deciding.map(\.status).max { $0.rank < $1.rank } ?? .offline
    }

    /// - Parameter id: the user's own, which is not kept here.
    func presence(of id: UserID) -> UserPresence {
        UserPresence(
            user: RoomUser(userID: id, username: username), actualStatus: status, lastSeen: lastSeen,
            sessions: records.count { !$0.isDisconnected })
    }

    /// Adds a session; those that must give way to it are returned, the oldest first.
    mutating func connect(_ record: SessionRecord, limit: Int, at now: Timestamp) -> [SessionRecord] {
        var record = record
        record.requestedStatus = inheritedStatus(by: record.id) ?? record.requestedStatus
        records.removeAll { $0.id == record.id }
        let others = live
        let excess = limit > 0 ? max(others.count + 1 - limit, 0) : 0
        let evicted = Array(others.prefix(excess))
        noteSight(at: now) { sessions in
            for old in evicted { sessions.records.removeAll { $0.id == old.id } }
            sessions.records.append(record)
            var user = RoomUser(userID: record.user.userID, username: sessions.username)
            user.update(record.user)
            sessions.username = user.username
        }
        return evicted
    }

    /// A user that is hidden stays hidden on a new device. A session that comes back after a break is as before it.
    private func inheritedStatus(by session: SessionID) -> PresenceStatus? {
        if records.contains(where: { $0.requestedStatus == .invisible }) { return .invisible }
        if let known = records.first(where: { $0.id == session }) { return known.requestedStatus }
        guard live.isEmpty else { return nil }
        return records.last?.requestedStatus
    }

    mutating func apply(_ update: SessionUpdate, to session: SessionID, at now: Timestamp) {
        guard records.contains(where: { $0.id == session }) else { return }
        // That nothing came for long is no sight of the user.
        if case .idle(let isIdle) = update { return change(session) { $0.isIdle = isIdle } }
        noteSight(at: now) { sessions in
            switch update {
            case .requestedStatus(let requestedStatus): sessions.set(requestedStatus, on: session)
            case .idle: break
            case .active:
                sessions.change(session) {
                    $0.isIdle = false
                    $0.lastActiveAt = now
                }
            case .renamed(let username):
                sessions.change(session) { $0.user.username = username }
                sessions.username = username
            case .disconnected:
                // Others keep the user in sight; what this one wished is over.
                let isNeeded = !sessions.live.contains { $0.id != session }
                if isNeeded {
                    sessions.change(session) { $0.isDisconnected = true }
                } else {
                    sessions.records.removeAll { $0.id == session }
                }
            }
        }
    }

    mutating func remove(_ session: SessionID, at now: Timestamp) {
        guard let record = records.first(where: { $0.id == session }) else { return }
        // A user in the grace period was last seen when the connection broke, not when the period ended.
        if record.isDisconnected {
            records.removeAll { $0.id == session }
        } else {
            noteSight(at: now) { $0.records.removeAll { $0.id == session } }
        }
    }

    private mutating func set(_ requestedStatus: PresenceStatus, on session: SessionID) {
        for index in records.indices {
            let isHidden = records[index].requestedStatus == .invisible
            if requestedStatus == .invisible || isHidden || records[index].id == session {
                records[index].requestedStatus = requestedStatus
            }
        }
    }

    private mutating func change(_ session: SessionID, _ body: (inout SessionRecord) -> Void) {
        guard let index = records.firstIndex(where: { $0.id == session }) else { return }
        body(&records[index])
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
