/// Something a client asks for, checked for shape and size, whatever framing it came in.
public enum ClientCommand: Sendable {
    case authenticate(Credentials)
    case joinRoom(RoomID, HistoryRequest)
    case leaveRoom(RoomID)
    case sendMessage(RoomID, OutgoingMessage)
    case sendDirect([UserID], OutgoingMessage)
    case typing(RoomID, isTyping: Bool)
    case markRead(RoomID, SequenceNumber)
    case identify(username: String)
    case userActivity
    case presence(PresenceCommand)
    /// Answered with the same data, given as JSON text.
    case ping([UInt8])

    /// Commands that may be under way together with others of the same room, since the room keeps their order itself.
    public var pipelinedRoom: RoomID? {
        if case .sendMessage(let room, _) = self { room } else { nil }
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
        case .sendMessage, .sendDirect: true
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
}

/// A message as its client sent it.
public struct OutgoingMessage: Hashable, Sendable {
    public var text: String
    public var kind: String
    public var clientMessageID: String?
    /// A JSON object as compact text.
    public var metadata: String?
    public var replyTo: String?
    /// The trace it belongs to (W3C Trace Context, section 3.2), for its events.
    public var traceparent: String?

    public init(
        text: String, kind: String = "text", clientMessageID: String? = nil, metadata: String? = nil,
        replyTo: String? = nil
    ) {
        self.text = text
        self.kind = kind
        self.clientMessageID = clientMessageID
        self.metadata = metadata
        self.replyTo = replyTo
    }

    public func body(from author: RoomUser) -> MessageBody {
        MessageBody(
            author: author.userID, username: author.username, text: text, kind: kind,
            clientMessageID: clientMessageID, metadata: metadata, replyTo: replyTo)
    }
}
