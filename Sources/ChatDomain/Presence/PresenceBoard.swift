/// Who is there on all instances, as this one has heard. Turns what it hears into edges: a status that is the same as
/// before is no news, however often it is told.
public struct PresenceBoard: Sendable {
    private var entries: [UserID: UserPresence] = [:]
    /// Users others see online.
    public private(set) var onlineCount = 0
    private var sorted: [UserPresence]?

    public init() {}

    /// nil for who has no session.
    public func presence(of user: UserID) -> UserPresence? { entries[user] }

    /// Takes in how a user stands; an `own` of offline without sessions forgets the user.
    ///
    /// - Returns: the edge, when the user's status changed for anybody.
    public mutating func apply(_ presence: UserPresence) -> PresenceEdge? {
        let user = presence.user.userID
        let before = entries[user]?.own ?? .offline
        if entries[user]?.status.isOnline == true { onlineCount -= 1 }
        entries[user] = presence.own == .offline && presence.sessions == 0 ? nil : presence
        if presence.status.isOnline { onlineCount += 1 }
        sorted = nil
        return before == presence.own ? nil : PresenceEdge(before: before, presence: presence)
    }

    /// Puts what is known for certain in place of what was heard; the edges nobody told.
    ///
    /// - Parameter isComplete: whether who is not among them is gone.
    public mutating func replace(
        with all: [UserPresence], isComplete: Bool, at now: Timestamp
    ) -> [PresenceEdge] {
        guard isComplete else { return all.compactMap { apply($0) } }
        let present = Set(all.map(\.user.userID))
        let gone = entries.values.filter { !present.contains($0.user.userID) }.map { old in
            UserPresence(
                user: old.user, own: .offline, lastSeen: old.status.isOnline ? now : old.lastSeen, sessions: 0)
        }
        return (gone + all).compactMap { apply($0) }
    }

    /// Users others see online, ordered by id.
    public mutating func online() -> [UserPresence] {
        if let sorted { return sorted }
        let list = entries.values.filter(\.status.isOnline).sorted {
            $0.user.userID.value.utf8.lexicographicallyPrecedes($1.user.userID.value.utf8)
        }
        sorted = list
        return list
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
}

/// Gathers edges for those who watch everybody: at most one a user and span, and none when it came back to what it was.
public struct PresenceCoalescer: Sendable {
    private var pending: [UserID: PresenceEdge] = [:]

    public init() {}

    public var isEmpty: Bool { pending.isEmpty }

    public mutating func add(_ edge: PresenceEdge) {
        pending[edge.presence.user.userID, default: edge].presence = edge.presence
    }

    /// What is left to tell, and starts again.
    public mutating func take() -> [PresenceEdge] {
        defer { pending = [:] }
        return pending.values.filter { $0.before != $0.presence.own }
    }
}
