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
        var username: String
        var sessions = SmallSet<SessionAddress>()
    }

    private var entries: [UserID: Entry] = [:]
    private var users: [SessionAddress: UserID] = [:]
    /// When users without a session count as gone.
    private var departures: [UserID: Moment] = [:]

    public init() {}

    /// Users present, those within their grace period too.
    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    public func contains(_ session: SessionAddress) -> Bool { users[session] != nil }
    public func contains(_ user: UserID) -> Bool { entries[user] != nil }
    public func user(of session: SessionAddress) -> RoomUser? { users[session].flatMap(user) }
    public func user(_ id: UserID) -> RoomUser? { entries[id].map { RoomUser(userID: id, username: $0.username) } }

    /// Up to `limit` of the users present.
    public func list(limit: Int, except hidden: Set<UserID> = []) -> [RoomUser] {
        entries.lazy.filter { !hidden.contains($0.key) }.prefix(limit)
            .map { RoomUser(userID: $0.key, username: $0.value.username) }
    }

    public enum Joined { case firstSession, anotherSession, already }

    public mutating func join(_ user: RoomUser, session: SessionAddress) -> Joined {
        guard users.updateValue(user.userID, forKey: session) == nil else { return .already }
        var known = self.user(user.userID)
        entries[user.userID, default: Entry(username: user.username)].sessions.insert(session)
        known?.update(user)
        if let known { entries[user.userID]?.username = known.username }
        departures[user.userID] = nil
        return known == nil ? .firstSession : .anotherSession
    }

    public enum Left { case notHere, sessionsRemain, inGrace, gone(RoomUser) }

    /// - Parameter grace: until when a user without sessions still counts; nil ends it at once.
    public mutating func leave(_ session: SessionAddress, grace: Moment?) -> Left {
        guard let userID = users.removeValue(forKey: session), var entry = entries[userID] else { return .notHere }
        entry.sessions.remove(session)
        entries[userID] = entry
        guard entry.sessions.isEmpty else { return .sessionsRemain }
        guard let grace else {
            entries[userID] = nil
            return .gone(RoomUser(userID: userID, username: entry.username))
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
            return entries.removeValue(forKey: user).map { RoomUser(userID: user, username: $0.username) }
        }
    }

    public var sessions: some Collection<SessionAddress> { users.keys }
}
