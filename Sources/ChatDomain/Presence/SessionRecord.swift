/// One live session as every instance may know it.
public struct SessionRecord: Hashable, Sendable {
    public var id: SessionID
    public var instance: InstanceID
    public var user: RoomUser
    /// The client's program as it calls itself; nil where it did not say.
    public var userAgent: String?
    public var connectedAt: Timestamp
    public var lastActiveAt: Timestamp
    /// The status last requested on this session.
    public var requestedStatus: PresenceStatus
    /// Whether nothing came from the client for so long that it counts as away.
    public var isIdle = false
    /// Whether the connection is gone and only the grace period keeps the user in sight.
    public var isDisconnected = false

    public init(
        id: SessionID, instance: InstanceID, user: RoomUser, userAgent: String? = nil, connectedAt: Timestamp,
        requestedStatus: PresenceStatus = .online
    ) {
        self.id = id
        self.instance = instance
        self.user = user
        self.userAgent = userAgent
        self.connectedAt = connectedAt
        lastActiveAt = connectedAt
        self.requestedStatus = requestedStatus
    }

    /// The user's status as far as this session goes.
    public var status: PresenceStatus { requestedStatus.shown(isIdle: isIdle) }
}

/// A change of a session during its life.
public enum SessionUpdate: Hashable, Sendable {
    case requestedStatus(PresenceStatus)
    case idle(Bool)
    /// Something came from the client.
    case active
    case renamed(String)
    /// The connection is gone; the grace period has begun.
    case disconnected
}

/// A user's presence, for those that may see it.
public struct UserPresence: Hashable, Sendable {
    public var user: RoomUser
    /// As the user's own devices see it; everybody else sees `status`.
    public var actualStatus: PresenceStatus
    /// When others last saw the user there.
    public var lastSeen: Timestamp
    /// Connected devices; for others only as far as the user is visible.
    public var sessions: Int

    public init(user: RoomUser, actualStatus: PresenceStatus, lastSeen: Timestamp, sessions: Int) {
        self.user = user
        self.actualStatus = actualStatus
        self.lastSeen = lastSeen
        self.sessions = sessions
    }

    public var status: PresenceStatus { actualStatus.seenByOthers }

    /// Whether the user has no session, on any instance.
    public var isGone: Bool { actualStatus == .offline && sessions == 0 }
}

extension UserPresence {
    /// The presence of a user without a session.
    public static func gone(_ user: UserID) -> Self {
        Self(
            user: RoomUser(userID: user, username: user.value), actualStatus: .offline,
            lastSeen: Timestamp(milliseconds: 0), sessions: 0)
    }
}
