import ChatCore
import ChatDomain
import ChatProtocol

/// All calls of the HTTP interface but the page's files, in the order of `docs/protocol.md`.
enum RouteCatalogue {
    static let routes =
        rooms + changes + roles + files + search + presence + services + webhooks + privacy + management + operations
        + documents

    // MARK: Rooms

    private static let rooms = [
        Route(
            .get, "/api/chat/:roomId/history", also: ["/chat/:roomId/history"], access: .reader,
            refusesInputFirst: true,
            summary: "a page of the room's messages",
            parameters: [
                .query("limit", .integer(HistoryRoutes.limits)), .query("before", .integer(HistoryRoutes.cursors)),
                .query("after", .integer(HistoryRoutes.cursors)), .query("around", .integer(HistoryRoutes.cursors)),
                .knownTag,
            ],
            answer: RouteAnswer(.historyPage, 200, 304), refusals: [.storageUnavailable],
            work: .prompt(by: HistoryRoutes.page), runsOnLoop: true),
        Route(
            .post, "/api/chat/:roomId/messages", access: .user, limit: .messages, summary: "sends a message",
            parameters: message + [
                .header("Idempotency-Key", .text(atMost: MessageRoutes.maximumKeyCharacters)),
                .header("traceparent", .text(atMost: nil)),
            ],
            answer: RouteAnswer(.sentMessage, 201, 200), refusals: [.conflict, .overloaded, .storageUnavailable],
            runsOnLoop: true, handler: MessageRoutes.send),
        Route(
            .get, "/api/chat/:roomId/read-marks", access: .reader, refusesInputFirst: true,
            summary: "the read marks of the room's users",
            parameters: [.query("cursor", .identifier), .query("limit", .integer(HistoryRoutes.limits))],
            answer: RouteAnswer(.readMarkPage, 200), refusals: [.storageUnavailable],
            handler: ReadMarkRoutes.list),
        Route(
            .get, "/api/rooms", access: .user, limit: .calls,
            summary: "the caller's rooms, those with the latest messages first",
            parameters: [.query("cursor", .text(atMost: nil)), .query("limit", .integer(RoomRoutes.listLimits))],
            answer: RouteAnswer(.roomPage, 200), refusals: [.storageUnavailable],
            handler: RoomRoutes.list),
        Route(
            .post, "/api/rooms", access: .userOrService, refusesInputFirst: true, limit: .rooms,
            summary: "makes a room; 200 for a direct room that existed",
            parameters: [
                .body("type", .choice([Room.Kind.direct, .group].map(\.rawValue))), .body("roomId", .identifier),
                roomName,
                .body("private", .boolean),
                .body("participants", .identifiers(atMost: RoomCreationRoutes.maximumParticipants)),
            ],
            answer: RouteAnswer(.room, 201, 200), refusals: [.conflict, .storageUnavailable],
            handler: RoomCreationRoutes.create),
        Route(
            .get, "/api/rooms/:roomId", access: .reader, summary: "the room",
            answer: RouteAnswer(.room, 200), refusals: [.storageUnavailable],
            handler: RoomRoutes.read),
        Route(
            .patch, "/api/rooms/:roomId", access: .owner, refusesInputFirst: true, limit: .calls,
            summary: "changes the room",
            parameters: [
                roomName, .body("private", .boolean), .body("readOnly", .boolean),
                .body("slowModeSeconds", .integer(RoomRevision.slowModes)), .body("owner", .identifier),
                .body("retentionDays", .integer(RoomRevision.retentions)),
            ],
            answer: RouteAnswer(.room, 200), refusals: [.conflict, .storageUnavailable],
            handler: RoomRoutes.revise),
        Route(
            .delete, "/api/rooms/:roomId", access: .owner, limit: .calls, summary: "deletes the room",
            answer: RouteAnswer(.done, 200), refusals: [.storageUnavailable],
            handler: RoomRoutes.delete),
        Route(
            .put, "/api/rooms/:roomId/participants/:userId", access: .owner, limit: .calls,
            summary: "adds a participant", answer: RouteAnswer(.done, 200), refusals: [.conflict, .storageUnavailable],
            handler: ParticipantRoutes.add),
        Route(
            .delete, "/api/rooms/:roomId/participants/:userId", access: .owner, limit: .calls,
            summary: "removes a participant; users may remove themselves",
            answer: RouteAnswer(.done, 200), refusals: [.notFound, .storageUnavailable],
            handler: ParticipantRoutes.remove),
    ]

    private static let roomName = RouteParameter.body("name", .text(atMost: RoomRoutes.maximumNameCharacters))

    /// The members of a message in a body.
    private static let message: [RouteParameter] = [
        .body("message", .text(atMost: nil), isRequired: true), .body("messageType", .text(atMost: 32)),
        .body("clientMessageId", .text(atMost: 128)), .body("metadata", .object), .body("replyTo", .text(atMost: 128)),
        .body("mentions", .identifiers(atMost: Mentions.limit)),
    ]

    // MARK: Files

    private static let files = [
        Route(
            .post, "/api/chat/:roomId/files", access: .user, limit: .calls,
            summary: "puts a file into the room, for a message to refer to",
            parameters: [.query("name", .text(atMost: nil)), .header("Content-Type", .text(atMost: nil))],
            answer: RouteAnswer(.uploadedFile, 201),
            refusals: [.payloadTooLarge, .storageUnavailable], work: .upload(FileRoutes.upload)),
        Route(
            .get, "/api/files/:fileId/:name", access: .reader, refusesInputFirst: true, summary: "a file's content",
            parameters: [
                .query("expires", .integer(FileLink.times)), .query("signature", .text(atMost: nil)),
                .header("Range", .text(atMost: nil)), .header("If-Range", .text(atMost: nil)),
                .knownTag,
            ],
            answer: RouteAnswer(.content, 200, 206, 304, 416),
            refusals: [.notFound, .storageUnavailable], work: .download(FileRoutes.download)),
    ]

    // MARK: Search

    private static let search = [
        Route(
            .get, "/api/search", access: .user, limit: .calls,
            summary: "messages with these words, of the rooms that the caller may read",
            parameters: [
                .query("q", .text(atMost: SearchQuery.maximumCharacters), isRequired: true),
                .query("roomId", .identifier), .query("from", .identifier),
                .query("messageType", .text(atMost: SearchRoutes.maximumKindCharacters)),
                .query("before", .text(atMost: SearchCursor.maximumCharacters)),
                .query("limit", .integer(SearchRoutes.limits)),
            ],
            answer: RouteAnswer(.searchPage, 200), refusals: [.storageUnavailable],
            handler: SearchRoutes.messages),
        Route(
            .get, "/api/users", access: .userOrService, limit: .calls,
            summary: "people by id, username or name",
            parameters: [
                .query("q", .text(atMost: PeopleQuery.maximumCharacters), isRequired: true),
                .query("limit", .integer(SearchRoutes.peopleLimits)),
            ],
            answer: RouteAnswer(.people, 200), refusals: [.storageUnavailable],
            handler: SearchRoutes.people),
    ]

    // MARK: Presence

    private static let presence = [
        Route(
            .get, "/online-status", access: .viewer, summary: "whether users are online", parameters: [ids],
            answer: RouteAnswer(.onlineStatusList, 200),
            handler: PresenceRoutes.onlineStatus),
        Route(
            .get, "/api/presence", access: .userOrService, summary: "users' statuses and sessions", parameters: [ids],
            answer: RouteAnswer(.presenceList, 200),
            handler: PresenceRoutes.presence),
        Route(
            .get, "/api/online-users", access: .viewer, limit: .calls, summary: "the users that are online",
            parameters: [
                .query("excludeUserId", .identifier), .query("countOnly", .boolean), .query("cursor", .identifier),
                .query("limit", .integer(PresenceRoutes.pageLimits)),
            ],
            answer: RouteAnswer(.onlineUserPage, 200),
            handler: PresenceRoutes.onlineUsers),
    ]

    private static let ids = RouteParameter.query(
        "ids", .identifiers(atMost: PresenceRoutes.maximumIDs), isRequired: true)

    // MARK: For other services

    private static let services = [
        Route(
            .put, "/api/users/:userId/profile", access: .service, limit: .calls,
            summary: "changes the given members of the user's profile",
            parameters: [
                .body("name", .text(atMost: UserRoutes.maximumTextCharacters)),
                .body("username", .text(atMost: CommandDecoder.maximumUsernameCharacters)),
                .body("email", .text(atMost: UserRoutes.maximumTextCharacters)),
                .body("avatar", .text(atMost: UserRoutes.maximumAvatarCharacters)),
            ],
            answer: RouteAnswer(.done, 200), refusals: [.storageUnavailable],
            handler: UserRoutes.setProfile),
        Route(
            .put, "/api/users/:userId/friends/:friendId", access: .service, limit: .calls,
            summary: "makes two users friends", answer: RouteAnswer(.done, 200), refusals: [.storageUnavailable],
            handler: UserRoutes.befriend),
        Route(
            .delete, "/api/users/:userId/friends/:friendId", access: .service, limit: .calls,
            summary: "ends a friendship", answer: RouteAnswer(.done, 200), refusals: [.storageUnavailable],
            handler: UserRoutes.unfriend),
        Route(
            .delete, "/internal/users/:userId/sessions", access: .service, limit: .calls,
            summary: "ends the user's sessions, or the one that `socketId` names",
            parameters: [
                .query("socketId", .text(atMost: nil)),
                .body("socketId", .text(atMost: UserRoutes.maximumSocketIDCharacters)),
            ],
            answer: RouteAnswer(.endedSessions, 200), refusals: [.notFound],
            handler: UserRoutes.logOut),
        Route(
            .post, "/internal/messages", access: .service, summary: "sends a message to users' live sessions",
            parameters: [.body("recipientIds", .identifiers(atMost: nil), isRequired: true)] + message,
            answer: RouteAnswer(.delivery, 200),
            handler: ServiceRoutes.send),
    ]

    // MARK: Operations

    private static let operations = [
        Route(
            .get, "/health", access: .everyone, summary: "says that the process serves requests",
            answer: RouteAnswer(.health, 200),
            handler: OperationRoutes.health),
        Route(
            .get, "/ready", access: .everyone, summary: "whether the instance takes new work, and its dependencies",
            answer: RouteAnswer(.readiness, 200, 503),
            handler: OperationRoutes.ready),
        Route(
            .get, "/metrics", access: .everyone, summary: "metrics as Prometheus text",
            answer: RouteAnswer(.metrics, 200),
            handler: OperationRoutes.metrics),
    ]

    // MARK: Documents

    private static let documents = [
        Route(
            .get, "/openapi.json", access: .everyone, summary: "this interface as OpenAPI 3.1", parameters: [.knownTag],
            answer: RouteAnswer(.document, 200, 304),
            handler: DocumentRoutes.openAPI),
        Route(
            .get, "/asyncapi.json", access: .everyone, summary: "the events as AsyncAPI 3.0", parameters: [.knownTag],
            answer: RouteAnswer(.document, 200, 304),
            handler: DocumentRoutes.asyncAPI),
        Route(
            .get, "/docs", also: ["/docs/"], access: .everyone, summary: "both as a page to read",
            parameters: [.knownTag],
            answer: RouteAnswer(.page, 200, 304),
            handler: DocumentRoutes.page),
        Route(
            .get, "/docs/style.css", access: .everyone, summary: "the page's style sheet", parameters: [.knownTag],
            answer: RouteAnswer(.styleSheet, 200, 304),
            handler: DocumentRoutes.styleSheet),
    ]
}
