/// A stored change of a message: numbered among the room's messages, durable, immutable.
public struct MessageChange: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The text, metadata and mentions that the message has from now on.
        case edited(MessageEdit)
        case deleted
        case reaction(ReactionChange)
        case pinned(Bool)
    }

    /// The change's own id.
    public var id: MessageID
    public var sequence: SequenceNumber
    public var roomID: RoomID
    /// The message it changes, and that message's own number.
    public var messageID: MessageID
    public var messageSequence: SequenceNumber
    /// The user that made the change.
    public var user: RoomUser
    public var kind: Kind
    public var timestamp: Timestamp
    /// The client's own id for this change, if it gave one.
    public var clientMessageID: String?

    public init(
        id: MessageID, sequence: SequenceNumber, roomID: RoomID, messageID: MessageID, messageSequence: SequenceNumber,
        user: RoomUser, kind: Kind, timestamp: Timestamp, clientMessageID: String? = nil
    ) {
        self.id = id
        self.sequence = sequence
        self.roomID = roomID
        self.messageID = messageID
        self.messageSequence = messageSequence
        self.user = user
        self.kind = kind
        self.timestamp = timestamp
        self.clientMessageID = clientMessageID
    }

    /// - Parameters:
    ///   - kind: what `ChangeDraft.evaluate` made of the draft.
    ///   - message: the message it changes.
    public init(_ draft: ChangeDraft, _ kind: Kind, of message: Message, sequence: SequenceNumber) {
        self.init(
            id: draft.id, sequence: sequence, roomID: message.roomID, messageID: message.id,
            messageSequence: message.sequence, user: draft.user, kind: kind, timestamp: draft.timestamp,
            clientMessageID: draft.clientMessageID)
    }

    /// The weight against byte limits.
    public var approximateBytes: Int {
        let edit = if case .edited(let edit) = kind { edit.approximateBytes } else { 0 }
        return edit + user.userID.value.utf8.count + user.username.utf8.count + (clientMessageID?.utf8.count ?? 0) + 128
    }
}

/// What an edit makes of a message.
public struct MessageEdit: Hashable, Sendable {
    public var text: String
    /// A JSON object as compact text. In a request, nil keeps the metadata of the message.
    public var metadata: String?
    public var mentions: [UserID]

    public init(text: String, metadata: String? = nil, mentions: [UserID] = []) {
        self.text = text
        self.metadata = metadata
        self.mentions = mentions
    }

    var approximateBytes: Int { text.utf8.count + (metadata?.utf8.count ?? 0) + mentions.bytes }
}

/// A reaction that was added or removed, and what that made of the emoji's reactions.
public struct ReactionChange: Hashable, Sendable {
    public var emoji: Emoji
    public var isRemoved: Bool
    /// Reactions with this emoji from now on.
    public var count: Int
    /// The user that is listed instead of the one that removed a reaction, where more users reacted than are listed.
    public var successor: UserID?

    public init(emoji: Emoji, isRemoved: Bool, count: Int, successor: UserID? = nil) {
        self.emoji = emoji
        self.isRemoved = isRemoved
        self.count = count
        self.successor = successor
    }
}

/// An entry of a room's log. Messages and changes are numbered together, 1, 2, 3 … without holes.
public enum RoomLogEntry: Hashable, Sendable {
    case message(Message)
    case change(MessageChange)

    public var id: MessageID {
        switch self {
        case .message(let message): message.id
        case .change(let change): change.id
        }
    }

    public var sequence: SequenceNumber {
        switch self {
        case .message(let message): message.sequence
        case .change(let change): change.sequence
        }
    }

    public var roomID: RoomID {
        switch self {
        case .message(let message): message.roomID
        case .change(let change): change.roomID
        }
    }

    public var timestamp: Timestamp {
        switch self {
        case .message(let message): message.timestamp
        case .change(let change): change.timestamp
        }
    }

    /// nil for a change.
    public var message: Message? { if case .message(let message) = self { message } else { nil } }
    /// nil for a message.
    public var change: MessageChange? { if case .change(let change) = self { change } else { nil } }

    /// The weight against byte limits.
    public var approximateBytes: Int {
        switch self {
        case .message(let message): message.body.approximateBytes
        case .change(let change): change.approximateBytes
        }
    }
}
