/// The presence of the users that an instance keeps: those with sessions on it, and those that its clients watch. Turns it into
/// edges: a status that is the same as before is no news, however often it comes.
public struct PresenceBoard: Sendable {
    /// A user without a session is offline here until it is forgotten.
    private var entries: [UserID: UserPresence] = [:]

    public init() {}

    /// How many users are kept.
    public var count: Int { entries.count }

    /// nil for a user without a session.
    public func presence(of user: UserID) -> UserPresence? { entries[user].flatMap { $0.isGone ? nil : $0 } }

    /// Whether it is known how a user stands.
    public func knows(_ user: UserID) -> Bool { entries[user] != nil }

    /// Takes in how a user stands.
    ///
    /// - Parameter before: the status before of a user that is not kept yet.
    /// - Returns: the edge, when another user may see the change.
    public mutating func apply(_ presence: UserPresence, before: PresenceStatus = .offline) -> PresenceEdge? {
        let user = presence.user.userID
        var presence = presence
        let known = entries[user]
        if let known { presence.lastSeen = max(presence.lastSeen, known.lastSeen) }
        entries[user] = presence
        let before = known?.actualStatus ?? before
        return before == presence.actualStatus ? nil : PresenceEdge(before: before, presence: presence)
    }

    /// Takes in how users stand that begin to be kept. That is no change.
    public mutating func learn(_ users: [UserPresence]) {
        for presence in users { _ = apply(presence, before: presence.actualStatus) }
    }

    /// Takes in how users stand for certain. Returns the edges that the news had missed.
    public mutating func compare(_ users: [UserPresence], at now: Timestamp) -> [PresenceEdge] {
        users.compactMap { presence in
            guard presence.isGone, let known = entries[presence.user.userID] else { return apply(presence) }
            // When it went is not known: others last saw it there when that was noticed.
            let lastSeen = known.status.isOnline ? now : known.lastSeen
            return apply(UserPresence(user: known.user, actualStatus: .offline, lastSeen: lastSeen, sessions: 0))
        }
    }

    /// Something came from a user here; a hidden user leaves no trace of it.
    public mutating func see(_ user: UserID, at now: Timestamp) {
        guard var known = entries[user], known.status.isOnline, known.lastSeen < now else { return }
        known.lastSeen = now
        entries[user] = known
    }

    public mutating func forget(_ users: [UserID]) {
        for user in users { entries[user] = nil }
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
