/// Something a client asks for, checked for shape and size, whatever framing it came in.
public enum ClientCommand: Sendable {
    case authenticate(Credentials)
    case joinRoom(RoomID, HistoryRequest)
    case leaveRoom(RoomID)
    case sendMessage(RoomID, OutgoingMessage)
    case changeMessage(RoomID, MessageChangeRequest)
    case sendDirect([UserID], OutgoingMessage)
    case typing(RoomID, isTyping: Bool)
    case markRead(RoomID, SequenceNumber)
    case identify(username: String)
    case userActivity
    case presence(PresenceCommand)
    /// Answered with the same data, given as JSON text.
    case ping([UInt8])

    /// Commands that may be under way together with others of the same room, since the room keeps their order itself.
    /// What may concern a file waits for a look at the file first.
    public var pipelinedRoom: RoomID? {
        switch self {
        case .sendMessage(let room, let message): message.fileReference == nil ? room : nil
        case .changeMessage(let room, let change): change.mayConcernFile ? nil : room
        default: nil
        }
    }

    /// Whether its answer may be a large page.
    public var isAnsweredAtLength: Bool {
        switch self {
        case .joinRoom: true
        case .presence(let command): command.isAnsweredAtLength
        default: false
        }
    }

    /// Whether the message rate limit counts it.
    public var isMessage: Bool {
        switch self {
        case .sendMessage, .changeMessage, .sendDirect: true
        default: false
        }
    }

    /// Whether it shows that a person is at the device; programs send pings by themselves.
    public var isActivity: Bool {
        switch self {
        case .ping, .authenticate: false
        default: true
        }
    }

    /// Whether it says that its user is there and nothing else.
    public var isHeartbeat: Bool { if case .userActivity = self { true } else { false } }

    public var needsIdentity: Bool {
        switch self {
        case .authenticate, .ping, .presence(.comeOnline): false
        default: true
        }
    }
}

/// How a client names its user.
public struct Credentials: Hashable, Sendable {
    public var token: String?
    public var userID: UserID?
    public var username: String?
    /// The client's program as it calls itself.
    public var userAgent: String?
    /// Whether the service key was shown, and is right.
    public var isService = false

    public init(
        token: String? = nil, userID: UserID? = nil, username: String? = nil, userAgent: String? = nil
    ) {
        self.token = token
        self.userID = userID
        self.username = username
        self.userAgent = userAgent
    }

    /// Whether a user is claimed, by a token or without.
    public var namesUser: Bool { token != nil || userID != nil }
}

/// A message as its client sent it.
public struct OutgoingMessage: Hashable, Sendable {
    public var text: String
    public var kind: String
    public var clientMessageID: String?
    /// A JSON object as compact text.
    public var metadata: String?
    public var replyTo: String?
    /// Users it mentions besides those in its text.
    public var mentions: [UserID]
    /// The id of the file that `metadata.file.fileId` names, as the client gave it; empty for a value that is no id.
    public var fileReference: String?
    /// The trace it belongs to (W3C Trace Context, section 3.2), for its events.
    public var traceparent: String?

    public init(
        text: String, kind: String = "text", clientMessageID: String? = nil, metadata: String? = nil,
        replyTo: String? = nil, mentions: [UserID] = []
    ) {
        self.text = text
        self.kind = kind
        self.clientMessageID = clientMessageID
        self.metadata = metadata
        self.replyTo = replyTo
        self.mentions = mentions
    }

    public func body(from author: RoomUser) -> MessageBody {
        MessageBody(
            author: author.userID, username: author.username, text: text, kind: kind,
            clientMessageID: clientMessageID, metadata: metadata, replyTo: replyTo,
            mentions: Mentions.users(named: mentions, in: text))
    }
}
