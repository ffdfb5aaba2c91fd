/// Asks a service of the operator's about each text before it is stored.
public protocol MessageHook: Sendable {
    /// Returns in bounded time, whatever the service does. Called off the loops.
    func verdict(on question: HookQuestion) async -> HookVerdict
}

/// What a user is about to write.
public struct HookQuestion: Hashable, Sendable {
    /// nil for a message straight to users.
    public var room: RoomID?
    /// The users of a message without a room.
    public var recipients: [UserID]
    public var author: RoomUser
    public var text: String
    /// The kind of message, such as `text`; nil for an edit.
    public var kind: String?
    /// The message that is edited; nil for a new one.
    public var edited: MessageID?
    public var clientMessageID: String?
    /// A JSON object as compact text.
    public var metadata: String?
    public var replyTo: String?

    public init(
        room: RoomID?, recipients: [UserID] = [], author: RoomUser, text: String, kind: String? = nil,
        edited: MessageID? = nil,
        clientMessageID: String? = nil, metadata: String? = nil, replyTo: String? = nil
    ) {
        self.room = room
        self.recipients = recipients
        self.author = author
        self.text = text
        self.kind = kind
        self.edited = edited
        self.clientMessageID = clientMessageID
        self.metadata = metadata
        self.replyTo = replyTo
    }
}

public enum HookVerdict: Hashable, Sendable {
    case allow
    /// The text is to be stored in place of the user's. It is within the limits of a client's text.
    case replace(String)
    case refuse(ChatError)
}
