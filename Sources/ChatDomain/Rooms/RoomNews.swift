/// News about a room that instances send each other. Messages travel too, but the store decides which of them exist.
public enum RoomNews: Hashable, Sendable {
    case message(Message)
    case change(MessageChange)
    /// A user's first session on the telling instance.
    case joined(RoomUser)
    /// A user's last session on the telling instance has gone.
    case left(UserID)
    case typing(RoomUser, isTyping: Bool)
    case read(RoomUser, SequenceNumber)
    /// The store has this user as a participant from now on.
    case participant(UserID)
    /// The digest of the sending instance's roster. Sent periodically, because `joined` and `left` may have been lost.
    case present(RosterDigest)
    /// The store has nothing after this number any more.
    case rewound(to: SequenceNumber)
    /// All users on the telling instance that do not hide; the others are asked to answer likewise when `asks`.
    case roster([RoomUser], asks: Bool)
}
