/// The presence of the users of all instances, as far as this instance received it. Turns it into edges: a status that is the
/// same as before is no news, however often it comes.
public struct PresenceBoard: Sendable {
    private var entries: [UserID: UserPresence] = [:]
    /// Users others see online.
    public private(set) var onlineCount = 0
    /// They in the order of their ids, once it was asked for; kept up to date from then on.
    private var order: [UserID]?

    public init() {}

    /// nil for a user without a session.
    public func presence(of user: UserID) -> UserPresence? { entries[user] }

    /// Takes in how a user stands; an `own` of offline without sessions forgets the user.
    ///
    /// - Returns: the edge, when another user may see the change.
    public mutating func apply(_ presence: UserPresence) -> PresenceEdge? {
        let user = presence.user.userID
        var presence = presence
        let known = entries[user]
        if let known { presence.lastSeen = max(presence.lastSeen, known.lastSeen) }
        let before = known?.actualStatus ?? .offline
        let wasOnline = known?.status.isOnline == true
        entries[user] = presence.actualStatus == .offline && presence.sessions == 0 ? nil : presence
        if wasOnline != presence.status.isOnline { setOnline(user, presence.status.isOnline) }
        return before == presence.actualStatus ? nil : PresenceEdge(before: before, presence: presence)
    }

    /// Something came from a user here; a hidden user leaves no trace of it.
    public mutating func see(_ user: UserID, at now: Timestamp) {
        guard let known = entries[user], known.status.isOnline, known.lastSeen < now else { return }
        entries[user]?.lastSeen = now
    }

    /// Replaces the presence that was received as news by a complete read. Returns the edges that the news had missed.
    ///
    /// - Parameter isComplete: whether a user that is not among them is gone.
    public mutating func replace(
        with all: [UserPresence], isComplete: Bool, at now: Timestamp
    ) -> [PresenceEdge] {
        guard isComplete else { return all.compactMap { apply($0) } }
        let present = Set(all.map(\.user.userID))
        let gone = entries.values.filter { !present.contains($0.user.userID) }.map { old in
            UserPresence(
                user: old.user, actualStatus: .offline, lastSeen: old.status.isOnline ? now : old.lastSeen, sessions: 0)
        }
        return (gone + all).compactMap { apply($0) }
    }

    private mutating func setOnline(_ user: UserID, _ isOnline: Bool) {
        onlineCount += isOnline ? 1 : -1
        guard let place = order?.place(of: user) else { return }
        if isOnline { order?.insert(user, at: place) } else { order?.remove(at: place) }
    }

    /// Users others see online, ordered by id.
    public mutating func online() -> [UserID] {
        if let order { return order }
        let list = entries.values.filter(\.status.isOnline).map(\.user.userID).sorted()
        order = list
        return list
    }
}

extension RandomAccessCollection<UserID> where Index == Int {
    /// Where a user stands in this ordered list, or would stand.
    public func place(of user: UserID) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < user { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A user's status went from one to another.
public struct PresenceEdge: Hashable, Sendable {
    /// What the user's own devices saw before.
    public var before: PresenceStatus
    public var presence: UserPresence

    public init(before: PresenceStatus, presence: UserPresence) {
        self.before = before
        self.presence = presence
    }

    /// Whether it is an edge for others too; hiding from offline is not.
    public var isVisible: Bool { before.seenByOthers != presence.status }

    /// Whether the user came into others' sight or went out of it.
    public var comesOrGoes: Bool { before.isOnline != presence.status.isOnline }
}

/// Gathers edges for sessions that watch all users: at most one a user and span, and none when it came back to what it was.
public struct PresenceCoalescer: Sendable {
    private var pending: [UserID: PresenceEdge] = [:]

    public init() {}

    public var isEmpty: Bool { pending.isEmpty }

    public mutating func add(_ edge: PresenceEdge) {
        pending[edge.presence.user.userID, default: edge].presence = edge.presence
    }

    /// Returns the edges that are not yet announced, and forgets them.
    public mutating func take() -> [PresenceEdge] {
        defer { pending = [:] }
        return pending.values.filter { $0.before != $0.presence.actualStatus }
    }
}
