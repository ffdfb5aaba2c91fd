/// A change made to a room from outside, which the store has already.
public enum RoomChange: Hashable, Sendable {
    case revised(RoomRevision, at: Timestamp)
    case admitted(UserID)
    case expelled(UserID)
    case standing(StandingChange)
    case deleted
    /// Messages lost their text or author, and took no numbers.
    ///
    /// - Parameter needsResync: whether members have to read the newest messages again.
    case contentErased(needsResync: Bool)
    /// The change itself is not known: the store has to be asked.
    case unspecified
}

extension LiveRoom {
    /// Whether `user` may enter and read.
    public func admits(_ user: UserID?) -> Bool { refusal(of: user) == nil }

    /// Why `user` may not enter and read; nil where the user may.
    public func refusal(of user: UserID?) -> ChatError? {
        if let user, authority.isBanned(user) { return .banned }
        if room.kind == .group && !room.isPrivate { return nil }
        return user.map(participants.contains) == true ? nil : .roomUnavailable
    }

    /// Takes a change that the store has; the users that may not be in the room any more.
    public mutating func apply(_ change: RoomChange) -> [UserID] {
        switch change {
        case .revised(let revision, let time): return revise(revision, at: time)
        case .admitted(let user): admit(user)
        case .expelled(let user): return [user]
        case .standing(let change):
            apply(change)
            if case .set(.ban, let user, _) = change { return [user] }
        case .contentErased: forgetContent()
        case .deleted, .unspecified: break
        }
        return []
    }
}

/// The instance that waits until a change of a room is in force, and its ticket.
public struct ChangeNotice: Hashable, Sendable {
    public var teller: InstanceID
    public var ticket: UInt64

    public init(teller: InstanceID, ticket: UInt64) {
        self.teller = teller
        self.ticket = ticket
    }
}
