/// What an erasure removes.
public enum ErasureSubject: Hashable, Sendable {
    /// All that is known of a user.
    case user(UserID, ErasedMessages)
    /// A room with all its messages.
    case room(RoomID)
    /// Messages that are older than their rooms keep them.
    case expiredMessages

    /// Subjects with the same key are erased by one job.
    public var key: String {
        switch self {
        case .user(let user, _): "user:\(user)"
        case .room(let room): "room:\(room)"
        case .expiredMessages: "expired"
        }
    }

    /// - Parameter policy: the name of `ErasedMessages` for a user; any text for other subjects.
    /// - Returns: nil for a text that is no key.
    public init?(key: String, policy: String) {
        if key == Self.expiredMessages.key {
            self = .expiredMessages
        } else if let id = Self.identifier(in: key, after: "room:") {
            self = .room(RoomID(unchecked: id))
        } else if let id = Self.identifier(in: key, after: "user:"), let policy = ErasedMessages(rawValue: policy) {
            self = .user(UserID(unchecked: id), policy)
        } else {
            return nil
        }
    }

    private static func identifier(in key: String, after prefix: String) -> String? {
        guard key.utf8.starts(with: prefix.utf8) else { return nil }
        let id = String(decoding: key.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        return id.isEmpty ? nil : id
    }

    /// `erase` or `anonymize` for a user; empty for other subjects.
    public var policyName: String { if case .user(_, let policy) = self { policy.rawValue } else { "" } }
}

/// What becomes of the messages of a user that is erased.
public enum ErasedMessages: String, CaseIterable, Sendable {
    /// They lose their text like deleted messages.
    case erase
    /// They keep their text under a neutral author.
    case anonymize
}

/// The user that takes the place of an erased one.
public struct ErasedUser: Hashable, Sendable {
    /// The name that is shown with messages of erased users.
    public static let username = "Deleted user"

    public let user: UserID
    /// Names no person: it is made of the erasure's random id.
    public let pseudonym: UserID
    public let messages: ErasedMessages

    public init(_ user: UserID, as pseudonym: UserID, messages: ErasedMessages) {
        self.user = user
        self.pseudonym = pseudonym
        self.messages = messages
    }

    /// How a text mentions the user.
    public var mention: String { "<@\(user)>" }
    public var neutralMention: String { "<@\(pseudonym)>" }

    /// The id that a direct room of the user gets; nil for any other room.
    public func neutralRoom(of room: RoomID) -> RoomID? {
        guard let (a, b) = DirectRoom.participants(of: room), a == user || b == user else { return nil }
        return DirectRoom.id(of: pseudonym, and: a == user ? b : a)
    }

    /// The user of a direct room that is not the erased one.
    public func partner(in room: RoomID) -> UserID? {
        guard let (a, b) = DirectRoom.participants(of: room), a == user || b == user else { return nil }
        return a == user ? b : a
    }
}

/// How long messages are kept.
public struct RetentionRule: Hashable, Sendable {
    /// Days that a deployment or a room may ask for: up to a hundred years.
    public static let days: ClosedRange<Int64> = 0...36_500
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// For rooms without days of their own; 0: for ever.
    public var days: Int

    public init(days: Int) { self.days = days }

    /// Messages from before this time are to go; nil where they are kept for ever.
    ///
    /// - Parameter roomDays: the room's own days, if it has any; 0: for ever.
    public func limit(roomDays: Int?, at now: Timestamp) -> Timestamp? {
        let days = min(max(Int64(roomDays ?? self.days), 0), Self.days.upperBound)
        guard days > 0 else { return nil }
        return Timestamp(milliseconds: now.milliseconds - days * Self.millisecondsPerDay)
    }
}
