/// One act of management on record: the actor, what was done to whom, when, and from where. It holds neither tokens nor texts.
public struct AuditEntry: Hashable, Sendable {
    /// What was done. The raw value is the name in the wire and in the stores.
    public enum Action: String, CaseIterable, Sendable {
        case userBan = "user_ban"
        case userUnban = "user_unban"
        case roomBan = "room_ban"
        case roomUnban = "room_unban"
        case mute
        case unmute
        case roleSet = "role_set"
        case roleCleared = "role_cleared"
        /// The deletion of another user's message.
        case messageDelete = "message_delete"
        case roomDelete = "room_delete"
        case userErase = "user_erase"
        case roomErase = "room_erase"
        case userExport = "user_export"
        case roomExport = "room_export"
        /// The end of sessions of a user.
        case kick
        case drain
        case reload
        /// An attempt to manage with a wrong key or token.
        case login
    }

    public enum Outcome: String, Sendable {
        case done
        case refused
    }

    /// The details of an act, in ASCII, at most.
    public static let maximumDetailCharacters = 256

    /// Unique among all entries of a deployment.
    public var id: MessageID
    public var timestamp: Timestamp
    public var action: Action
    public var outcome: Outcome
    /// Whether the actor showed the service key, or an administrator's token.
    public var isService: Bool
    /// The user that acted; nil for a service that named none, and for a signal.
    public var actor: UserID?
    /// The address of the caller; nil for a signal.
    public var address: String?
    /// The instance that was asked.
    public var instance: InstanceID
    public var user: UserID?
    public var room: RoomID?
    public var message: MessageID?
    /// A word on the act, such as the instances that reloaded; never a user's text.
    public var detail: String?

    public init(
        id: MessageID, timestamp: Timestamp, action: Action, outcome: Outcome = .done, isService: Bool = false,
        actor: UserID? = nil, address: String? = nil, instance: InstanceID, user: UserID? = nil, room: RoomID? = nil,
        message: MessageID? = nil, detail: String? = nil
    ) {
        self.id = id
        self.timestamp = timestamp
        self.action = action
        self.outcome = outcome
        self.isService = isService
        self.actor = actor
        self.address = address
        self.instance = instance
        self.user = user
        self.room = room
        self.message = message
        self.detail = detail.map { ShortText.cut($0, maximumCharacters: Self.maximumDetailCharacters) }
    }

    public var place: AuditPlace { AuditPlace(timestamp: timestamp, id: id) }
}

/// The place of an entry in the trail, which is ordered by time and then by id.
public struct AuditPlace: Hashable, Sendable, CustomStringConvertible {
    public var timestamp: Timestamp
    public var id: MessageID

    public init(timestamp: Timestamp, id: MessageID) {
        self.timestamp = timestamp
        self.id = id
    }

    /// Reads what `description` wrote; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), let id = MessageID(parts[1]) else { return nil }
        self.init(timestamp: Timestamp(milliseconds: milliseconds), id: id)
    }

    /// The cursor of a page.
    public var description: String { "\(timestamp.milliseconds):\(id)" }
}

/// A page of the trail, the newest entry first.
public struct AuditQuery: Hashable, Sendable {
    /// The page begins behind this entry.
    public var before: AuditPlace?
    public var limit: Int
    public var action: AuditEntry.Action?
    /// Entries about this user.
    public var user: UserID?
    /// Entries of acts by this user.
    public var actor: UserID?

    public init(
        before: AuditPlace? = nil, limit: Int, action: AuditEntry.Action? = nil, user: UserID? = nil,
        actor: UserID? = nil
    ) {
        self.before = before
        self.limit = limit
        self.action = action
        self.user = user
        self.actor = actor
    }
}
