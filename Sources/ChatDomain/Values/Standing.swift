/// What a user is in a room.
public enum RoomRole: String, Hashable, Sendable, CaseIterable {
    /// Manages the room: its settings, its moderators, its other owner to be.
    case owner
    /// May ban, mute, delete and pin, and sends in read-only rooms.
    case moderator
    case member
}

/// What a room has on record about one user. A user may have one of each kind in a room.
public struct RoomStanding: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case moderator
        /// May not enter, read or send.
        case ban
        /// May enter and read, and may not send.
        case mute

        /// How many of this kind a room keeps.
        public var limit: Int {
            switch self {
            case .moderator: 100
            case .ban, .mute: 1000
            }
        }
    }

    /// Unicode scalars of a reason, at most.
    public static let maximumReasonCharacters = 256

    public var user: UserID
    public var kind: Kind
    /// When it ends by itself; nil where it has to be ended. Moderators have none.
    public var until: Timestamp?
    /// For people to read; nil where none was given.
    public var reason: String?
    /// The user that decided it; nil for a service.
    public var author: UserID?
    public var since: Timestamp

    public init(
        _ kind: Kind, of user: UserID, until: Timestamp? = nil, reason: String? = nil, by author: UserID? = nil,
        since: Timestamp
    ) {
        self.user = user
        self.kind = kind
        self.until = until
        self.reason = reason
        self.author = author
        self.since = since
    }

    public func isOver(at now: Timestamp) -> Bool { until.map { $0 <= now } ?? false }
}

/// A change of what a room has on record about a user.
public enum StandingChange: Hashable, Sendable {
    case set(RoomStanding.Kind, UserID, until: Timestamp?)
    case cleared(RoomStanding.Kind, UserID)
    /// In a direct room: the user is blocked by the other one.
    case blocked(UserID)
    case unblocked(UserID)
}

/// A user that another user blocks.
public struct UserBlock: Hashable, Sendable {
    /// How many users one user may block.
    public static let limit = 1000

    public var user: UserID
    public var since: Timestamp

    public init(_ user: UserID, since: Timestamp) {
        self.user = user
        self.since = since
    }
}

/// A user that a service banned from the whole deployment.
public struct UserBan: Hashable, Sendable {
    /// How many users may be banned at once. Every instance keeps all of them in memory.
    public static let limit = 100_000

    public var user: UserID
    /// When it ends by itself; nil where it has to be ended.
    public var until: Timestamp?
    public var reason: String?
    public var since: Timestamp

    public init(_ user: UserID, until: Timestamp? = nil, reason: String? = nil, since: Timestamp) {
        self.user = user
        self.until = until
        self.reason = reason
        self.since = since
    }
}

/// A user's report of a message, until moderators or services settle it.
public struct MessageFlag: Hashable, Sendable {
    /// How many users' flags a message keeps, and how many flags a room.
    public static let limit = 100
    public static let roomLimit = 10_000

    public var message: MessageID
    public var user: UserID
    public var reason: String?
    public var since: Timestamp

    public init(_ message: MessageID, by user: UserID, reason: String? = nil, since: Timestamp) {
        self.message = message
        self.user = user
        self.reason = reason
        self.since = since
    }

    public var place: Place { Place(message: message, user: user) }

    /// A place in a room's list of flags, which is ordered by message and user.
    public struct Place: Hashable, Sendable {
        public var message: MessageID
        public var user: UserID

        public init(message: MessageID, user: UserID) {
            self.message = message
            self.user = user
        }

        /// As clients keep it; to them it is opaque.
        public var text: String { "\(message):\(user.value)" }

        /// nil for a text that is no place.
        public init?(text: String) {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let message = MessageID(String(parts[0])),
                let user = try? UserID(validating: String(parts[1]), field: "cursor")
            else { return nil }
            self.init(message: message, user: user)
        }
    }
}
