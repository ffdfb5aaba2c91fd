/// A client's command about the presence of users.
public enum PresenceCommand: Hashable, Sendable {
    case setStatus(PresenceStatus)
    /// Signs in by a claim where the session has no user yet, and watches all users.
    case comeOnline(UserID)
    case countOnline
    case check(UserID, PresenceQuestion)
    case listKnown(PresencePage)
    case listOnline(PresencePage)
    case listOnlineIDs(PresencePage)
    case listDevices(PresencePage)
    case watch(PresenceSubject)
    case unwatch(PresenceSubject)

    /// Whether the answer is a list of users, up to a thousand of them.
    public var isListing: Bool {
        switch self {
        case .listKnown, .listOnline, .listOnlineIDs, .listDevices: true
        default: false
        }
    }

    /// Whether its answer is a list of users.
    public var isAnsweredAtLength: Bool {
        switch self {
        case .comeOnline, .listKnown, .listOnline, .listOnlineIDs, .listDevices, .watch: true
        case .setStatus, .countOnline, .check, .unwatch: false
        }
    }

    /// Whether it asks how users stand at this moment, which a service may ask without being a user.
    public var isQuestion: Bool {
        switch self {
        case .countOnline, .check, .listKnown, .listOnline, .listOnlineIDs, .listDevices: true
        case .setStatus, .comeOnline, .watch, .unwatch: false
        }
    }
}

/// Two events that ask the same and are answered under names of their own.
public enum PresenceQuestion: Hashable, Sendable {
    case userStatus
    case userOnline
}

public enum PresenceSubject: Hashable, Sendable {
    case users([UserID])
    /// The participants of rooms.
    case rooms([RoomID])
    case friends
    case everybody
    /// Only where watching ends: all of it.
    case anything
}

/// A part of a list that is ordered by user id.
public struct PresencePage: Hashable, Sendable {
    public static let maximumUsers = 1000

    /// Begin after this user; nil for the beginning.
    public var cursor: UserID?
    public var limit: Int

    public init(after cursor: UserID? = nil, limit: Int = Self.maximumUsers) {
        self.cursor = cursor
        self.limit = limit
    }
}
