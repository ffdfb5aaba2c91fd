/// What happened to a room or to the users of a room, besides messages.
public enum RoomOccurrence: Hashable, Sendable {
    case created(Room, participants: [UserID])
    /// The store has the change.
    case changed(RoomID, RoomChange)
    /// A user became a participant by joining.
    case joined(RoomID, UserID)
    /// A user reported a message.
    case flagged(RoomID, MessageFlag)
    /// The reports of a message are settled.
    case flagsSettled(RoomID, MessageID)
}
