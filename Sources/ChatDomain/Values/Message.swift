/// A stored message as it is now: numbered and durable.
public struct Message: Hashable, Sendable {
    public var id: MessageID
    public var sequence: SequenceNumber
    public var roomID: RoomID
    public var body: MessageBody
    public var timestamp: Timestamp
    /// Boxed, because most messages have none: they stay small where they are copied.
    private var changed: Box?

    public init(
        id: MessageID, sequence: SequenceNumber, roomID: RoomID, body: MessageBody, timestamp: Timestamp,
        state: MessageState? = nil
    ) {
        self.id = id
        self.sequence = sequence
        self.roomID = roomID
        self.body = body
        self.timestamp = timestamp
        self.state = state
    }

    public init(_ draft: MessageDraft, in roomID: RoomID, sequence: SequenceNumber) {
        self.init(id: draft.id, sequence: sequence, roomID: roomID, body: draft.body, timestamp: draft.timestamp)
    }

    /// What changes and replies made of the message; nil while there were none.
    public var state: MessageState? {
        get { changed?.state }
        set { changed = newValue.map { Box($0) } }
    }

    private final class Box: Hashable, Sendable {
        let state: MessageState

        init(_ state: MessageState) { self.state = state }

        static func == (a: Box, b: Box) -> Bool { a === b || a.state == b.state }
        func hash(into hasher: inout Hasher) { hasher.combine(state) }
    }
}

/// The text as its author wrote it, and the name it was written under.
public struct MessageBody: Hashable, Sendable {
    public var author: UserID
    public var username: String
    public var text: String
    /// `text` unless the client says otherwise; 1–32 characters.
    public var kind: String
    /// The client's own id for this message: a retry with the same one is stored once.
    public var clientMessageID: String?
    /// A JSON object as compact text, kept verbatim.
    public var metadata: String?
    /// The id of the message this one answers. In messages of older programs it may be any text.
    public var replyTo: String?
    /// The users it mentions, at most `Mentions.limit`, each once.
    public var mentions: [UserID]

    public init(
        author: UserID, username: String, text: String, kind: String = "text", clientMessageID: String? = nil,
        metadata: String? = nil, replyTo: String? = nil, mentions: [UserID] = []
    ) {
        self.author = author
        self.username = username
        self.text = text
        self.kind = kind
        self.clientMessageID = clientMessageID
        self.metadata = metadata
        self.replyTo = replyTo
        self.mentions = mentions
    }

    /// Whether a retry under the same client id says the same. The author's display name may have changed meanwhile, and the
    /// users mentioned may have lost the right to read the room.
    public func saysTheSame(as other: MessageBody) -> Bool {
        text.hasSameBytes(as: other.text) && kind.hasSameBytes(as: other.kind)
            && String.areSame(metadata, other.metadata) && String.areSame(replyTo, other.replyTo)
    }

    /// The weight of the body against byte limits.
    public var approximateBytes: Int {
        text.utf8.count + username.utf8.count + author.value.utf8.count + (metadata?.utf8.count ?? 0)
            + (replyTo?.utf8.count ?? 0) + (clientMessageID?.utf8.count ?? 0) + mentions.bytes + 64
    }
}

extension Message {
    /// Whether a draft under the same client id is a repeat of this message. What the author wrote first is not known any more
    /// once the message was edited or deleted, so any draft counts as a repeat then.
    public func isRepeated(by draft: MessageBody) -> Bool {
        isDeleted || editedAt != nil || draft.saysTheSame(as: body)
    }
}

/// A message on its way to the store: everything but its number.
public struct MessageDraft: Hashable, Sendable {
    public var id: MessageID
    public var body: MessageBody
    public var timestamp: Timestamp

    public init(id: MessageID, body: MessageBody, timestamp: Timestamp) {
        self.id = id
        self.body = body
        self.timestamp = timestamp
    }
}

extension String {
    static func areSame(_ a: String?, _ b: String?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return a.hasSameBytes(as: b)
    }
}

extension [UserID] {
    /// Their weight against byte limits.
    var bytes: Int { reduce(0) { $0 + $1.value.utf8.count + 8 } }
}
