/// A change made to a room from outside, which the store has already.
public enum RoomChange: Hashable, Sendable {
    case revised(RoomRevision, at: Timestamp)
    case admitted(UserID)
    case expelled(UserID)
    case deleted
    /// The change itself is not known: the store has to be asked.
    case unspecified
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
