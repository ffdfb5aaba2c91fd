/// One live session as every instance may know it.
public struct SessionRecord: Hashable, Sendable {
    public var id: SessionID
    public var instance: InstanceID
    public var user: RoomUser
    /// What the client's program calls itself; nil where it did not say.
    public var userAgent: String?
    public var connectedAt: Timestamp
    public var lastActiveAt: Timestamp
    /// What was last asked for on this session.
    public var wish: PresenceStatus
    /// Whether nothing came from the client for so long that it counts as away.
    public var isIdle = false
    /// Whether the connection is gone and only the grace period keeps the user in sight.
    public var isLingering = false

    public init(
        id: SessionID, instance: InstanceID, user: RoomUser, userAgent: String? = nil, connectedAt: Timestamp,
        wish: PresenceStatus = .online
    ) {
        self.id = id
        self.instance = instance
        self.user = user
        self.userAgent = userAgent
        self.connectedAt = connectedAt
        lastActiveAt = connectedAt
        self.wish = wish
    }

    /// What this session says about its user.
    public var status: PresenceStatus { isIdle && wish == .online ? .away : wish }
}

/// What changes about a session while it is there.
public enum SessionUpdate: Hashable, Sendable {
    case wish(PresenceStatus)
    case idle(Bool)
    /// Something came from the client.
    case active
    case renamed(String)
    /// The connection is gone; the grace period has begun.
    case lingering
}

/// How a user stands, for whoever may know.
public struct UserPresence: Hashable, Sendable {
    public var user: RoomUser
    /// As the user's own devices see it; everybody else sees `status`.
    public var own: PresenceStatus
    /// When others last saw the user there.
    public var lastSeen: Timestamp
    /// Connected devices; for others only as far as the user is visible.
    public var sessions: Int

    public init(user: RoomUser, own: PresenceStatus, lastSeen: Timestamp, sessions: Int) {
        self.user = user
        self.own = own
        self.lastSeen = lastSeen
        self.sessions = sessions
    }

    public var status: PresenceStatus { own.seenByOthers }
}
