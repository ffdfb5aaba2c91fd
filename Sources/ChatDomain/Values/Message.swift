/// A stored message: numbered, durable, immutable.
public struct Message: Hashable, Sendable {
    public var id: MessageID
    public var sequence: SequenceNumber
    public var roomID: RoomID
    public var body: MessageBody
    public var timestamp: Timestamp

    public init(id: MessageID, sequence: SequenceNumber, roomID: RoomID, body: MessageBody, timestamp: Timestamp) {
        self.id = id
        self.sequence = sequence
        self.roomID = roomID
        self.body = body
        self.timestamp = timestamp
    }

    public init(_ draft: MessageDraft, in roomID: RoomID, sequence: SequenceNumber) {
        self.init(id: draft.id, sequence: sequence, roomID: roomID, body: draft.body, timestamp: draft.timestamp)
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
    /// The id of the message this one answers, as the client gave it.
    public var replyTo: String?

    public init(
        author: UserID, username: String, text: String, kind: String = "text", clientMessageID: String? = nil,
        metadata: String? = nil, replyTo: String? = nil
    ) {
        self.author = author
        self.username = username
        self.text = text
        self.kind = kind
        self.clientMessageID = clientMessageID
        self.metadata = metadata
        self.replyTo = replyTo
    }

    /// Whether a retry under the same client id says the same (the author's display name may have changed meanwhile).
    public func saysTheSame(as other: MessageBody) -> Bool {
        text.hasSameBytes(as: other.text) && kind.hasSameBytes(as: other.kind)
            && Self.areSame(metadata, other.metadata) && Self.areSame(replyTo, other.replyTo)
    }

    private static func areSame(_ a: String?, _ b: String?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return a.hasSameBytes(as: b)
    }

    /// The weight of the body against byte limits.
    public var approximateBytes: Int {
        text.utf8.count + username.utf8.count + author.value.utf8.count + (metadata?.utf8.count ?? 0)
            + (replyTo?.utf8.count ?? 0) + (clientMessageID?.utf8.count ?? 0) + 64
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
