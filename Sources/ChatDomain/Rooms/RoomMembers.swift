/// Where a session lives, for other shards that must reach it.
public struct SessionAddress: Hashable, Sendable {
    public var shard: UInt16
    public var slot: UInt32
    /// Tells a session from an earlier one in the same slot.
    public var generation: UInt32

    public init(shard: UInt16, slot: UInt32, generation: UInt32) {
        self.shard = shard
        self.slot = slot
        self.generation = generation
    }
}

/// The users in a room here, by user and by session; a user with several sessions is one user.
///
/// A user whose last session broke off stays until the grace period is over: flapping networks announce nothing.
public struct RoomMembers: Sendable {
    private struct Entry {
        var user: RoomUser
        var sessions = SmallSet<SessionAddress>()
        /// When the user counts as gone; nil while a session is there.
        var leavesAt: Moment?
    }

    private var entries: [UserID: Entry] = [:]
    private var users: [SessionAddress: UserID] = [:]
    private var departures: [UserID: Moment] = [:]

    public init() {}

    /// Users present, those within their grace period too.
    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    public func contains(_ session: SessionAddress) -> Bool { users[session] != nil }
    public func contains(_ user: UserID) -> Bool { entries[user] != nil }
    public func user(of session: SessionAddress) -> RoomUser? { users[session].flatMap { entries[$0]?.user } }
    public func user(_ id: UserID) -> RoomUser? { entries[id]?.user }

    /// Up to `limit` of the users present.
    public func list(limit: Int, except hidden: Set<UserID> = []) -> [RoomUser] {
        guard !hidden.isEmpty else { return entries.values.prefix(limit).map(\.user) }
        return entries.values.lazy.map(\.user).filter { !hidden.contains($0.userID) }.prefix(limit).map { $0 }
    }

    public enum Joined { case firstSession, anotherSession, already }

    public mutating func join(_ user: RoomUser, session: SessionAddress) -> Joined {
        guard users.updateValue(user.userID, forKey: session) == nil else { return .already }
        let known = entries[user.userID] != nil
        entries[user.userID, default: Entry(user: user)].sessions.insert(session)
        entries[user.userID]?.user.update(user)
        entries[user.userID]?.leavesAt = nil
        departures[user.userID] = nil
        return known ? .anotherSession : .firstSession
    }

    public enum Left { case notHere, sessionsRemain, inGrace, gone(RoomUser) }

    /// - Parameter grace: until when a user without sessions still counts; nil ends it at once.
    public mutating func leave(_ session: SessionAddress, grace: Moment?) -> Left {
        guard let userID = users.removeValue(forKey: session), var entry = entries[userID] else { return .notHere }
        entry.sessions.remove(session)
        entry.leavesAt = entry.sessions.isEmpty ? grace : nil
        entries[userID] = entry
        guard entry.sessions.isEmpty else { return .sessionsRemain }
        guard let grace else {
            entries[userID] = nil
            return .gone(entry.user)
        }
        departures[userID] = grace
        return .inGrace
    }

    /// Removes a user with all sessions; the sessions that were there.
    public mutating func remove(_ user: UserID) -> Set<SessionAddress> {
        departures[user] = nil
        guard let entry = entries.removeValue(forKey: user) else { return [] }
        for session in entry.sessions { users[session] = nil }
        return Set(entry.sessions)
    }

    /// The earliest end of a grace period.
    public var nextDeparture: Moment? { departures.values.min() }

    /// Removes those whose grace period is over.
    public mutating func depart(at now: Moment) -> [RoomUser] {
        let gone = departures.filter { $0.value <= now }.keys
        return gone.compactMap { user in
            departures[user] = nil
            return entries.removeValue(forKey: user)?.user
        }
    }

    public var sessions: some Collection<SessionAddress> { users.keys }
}
