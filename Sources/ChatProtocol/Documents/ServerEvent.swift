import ChatDomain

/// An event that the server sends: its name, its data and when it comes.
package struct ServerEvent: Sendable {
    package let name: String
    /// When it comes, for the documents.
    package let summary: String
    /// The client's event that this one answers.
    package let request: String?
    package let data: Schema

    private init(_ name: String, _ summary: String, _ data: Schema) {
        self.init(name, summary, request: nil, data)
    }

    private init(_ name: String, answering request: String, _ data: Schema) {
        self.init(name, "the answer to \(request)", request: request, data)
    }

    private init(_ name: String, _ summary: String, request: String?, _ data: Schema) {
        self.name = name
        self.summary = summary
        self.request = request
        self.data = data
    }

    /// All events of the server, in the order of `docs/protocol.md`.
    package static let all = session + rooms + presence

    // MARK: The session

    private static let session = [
        Self(
            "welcome", "a raw connection is authenticated",
            .object(
                .required("userId", .id("ada")), .required("socketId", .text("s1-7f3a")),
                .required("message", .text("Connected to chat-service")))),
        Self("authenticated", answering: "authenticate", .object(authenticated)),
        Self("pong", answering: "ping", .anything),
        Self(
            "error", "a request without an id was refused, or a frame could not be read",
            .object(
                SchemaComponent.errorMembers + [
                    .optional("event", .text("join_room")),
                    .optional("roomId", .id("general").noted("the room that the session is out of")),
                    .optional("timestamp", .time.noted("in type frames")),
                ])),
        Self("token_expiring", "the token expires in 30 seconds", .object(.required("expiresAt", .milliseconds))),
        Self(
            "server_draining", "the connection is about to close for a restart",
            .object(.required("reconnectInMs", .count(1500).noted("how long to wait; different for each client")))),
    ]

    static let authenticated: [Schema.Member] = [
        .required("userId", .id("ada")), .required("username", .text("Ada")), .required("socketId", .text("s1-7f3a")),
        .optional("expiresAt", .milliseconds),
    ]

    // MARK: Rooms

    private static let inRoom = Schema.Member.required("roomId", .id("general"))
    private static let user: [Schema.Member] = [
        inRoom, .required("userId", .id("ada")), .required("username", .text("Ada")),
    ]

    private static let change: [Schema.Member] = [
        inRoom, .required("messageId", .messageID),
        .required("seq", .integer(9, in: 1...Int64.max).noted("the change's number")),
        .required("userId", .id("ada")),
    ]

    private static let rooms = [
        Self("new_message", "a message was stored", .named(.message)),
        Self(
            "message_history", "the page that a join asked for, oldest first",
            .list(of: .named(.message), atMost: HistoryQuery.limits.upperBound)),
        Self(
            "message_changes",
            "after a join with `since`: earlier messages that changed after that number, as they are now",
            .object(
                inRoom, .required("messages", .list(of: .named(.message), atMost: HistoryQuery.limits.upperBound)),
                .required("lastSeq", .count(9)))),
        Self(
            "message_edited", "a message was edited",
            .object(
                change + [
                    .required("message", .text("hello!")), .optional("metadata", .object()),
                    .optional("mentions", .list(of: .id("ben"), atMost: Mentions.limit)),
                    .required("editedAt", .milliseconds),
                ])),
        Self(
            "message_deleted", "a message was deleted", .object(change + [.required("timestamp", .milliseconds)])),
        Self(
            "message_reaction", "a reaction was added or removed",
            .object(
                change + [
                    .required("username", .text("Ada")), .required("emoji", .text("👍")),
                    .required("removed", .boolean), .required("count", .count(1)),
                ])),
        Self(
            "message_pinned", "a message was pinned or unpinned",
            .object(change + [.required("pinned", .boolean)])),
        Self(
            "message", "a message sent straight to the user's sessions, stored nowhere",
            .object(
                .required("messageId", .messageID), .required("senderId", .id("ada")),
                .required("message", .text("hello")), .optional("metadata", .object()),
                .required("timestamp", .milliseconds))),
        Self("room_users", "users present, after a join", .list(of: .named(.user), atMost: 200)),
        Self(
            "room_state", "the room in numbers: after a join, and in large rooms instead of joins and leaves",
            .object(
                SchemaComponent.stateMembers + [.optional("readMarks", .list(of: .named(.readMark), atMost: 50))])),
        Self("user_joined", "a user's first session in the room, on any instance", .object(user)),
        Self("user_left", "a user's last session left the room", .object(user)),
        Self(
            "user_typing", "a user began to type, or stopped", .object(user + [.required("isTyping", .boolean)])),
        Self(
            "message_read", "a user has read up to this number",
            .object(inRoom, .required("userId", .id("ada")), .required("seq", .count(7)))),
        Self(
            "resync_required", "messages are missing here: read them over REST with `after`, or begin again",
            .object(inRoom, .required("lastSeq", .count(7)))),
    ]

    // MARK: Presence

    private static let presences = Schema.list(of: .named(.presence), atMost: 1000)
    private static let answer: [Schema.Member] = [
        .required("userId", .id("ada")), .required("online", .boolean), .required("status", SchemaComponent.status),
        .required("lastSeen", .nullable(.time)),
    ]

    private static let presence = [
        Self(
            "user_status_change", "a watched user's status changed",
            .object(SchemaComponent.presenceMembers + [.required("timestamp", .time)])),
        Self("user_online", "beside user_status_change, after join_user", .object(.required("userId", .id("ada")))),
        Self("user_offline", "beside user_status_change, after join_user", .object(.required("userId", .id("ada")))),
        Self(
            "presence_snapshot", "the state of the users that a subscription names",
            .object(.required("users", presences))),
        Self(
            "status_updated", answering: "set_status",
            .object(.required("status", SchemaComponent.status), .required("timestamp", .time))),
        Self(
            "online_count", answering: "get_online_count",
            .object(.required("count", .count(3)), .required("timestamp", .time))),
        Self("user_status", answering: "check_user_status", .object(answer)),
        Self("user_online_status", answering: "check_user_online", .object(answer)),
        Self(
            "all_users", answering: "get_all_users",
            .object(
                .required("users", presences), .required("timestamp", .time), .optional("cursor", .id("ada")))),
        Self(
            "online_users_list", "the answer to get_online_users without an id; after join_user also on change",
            .object(
                .required("users", presences), .required("count", .count(1)), .required("timestamp", .time))),
        Self(
            "get_all_online_users", answering: "get_all_online_users", .list(of: .id("ada"), atMost: 1000)),
        Self(
            "get_detailed_online_users", answering: "get_detailed_online_users",
            .list(of: .object(SchemaComponent.presenceMembers + [.optional("devices", .list(of: device))]))),
    ]

    private static let device = Schema.object(
        .required("socketId", .text("s1-7f3a")), .required("connectedAt", .time), .required("lastActivity", .time),
        .required("instance", .text("chat-1")), .required("userAgent", .nullable(.text("Mozilla/5.0"))))
}
