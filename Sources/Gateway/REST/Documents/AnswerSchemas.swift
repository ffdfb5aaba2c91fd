import ChatDomain
import ChatProtocol

extension RouteAnswer.Shape {
    /// The body as the documents describe it; nil where it is no JSON.
    var schema: Schema? {
        switch self {
        case .banPage, .blockPage, .flagPage, .rolePage, .sanctionPage, .settledFlags, .standing, .userBan:
            Answers.aboutRights(self)
        case .auditPage: ManagementSchemas.audit
        case .drainedInstance: ManagementSchemas.drain
        case .fleetStats: ManagementSchemas.stats
        case .liveRoomPage: ManagementSchemas.rooms
        case .reloads: ManagementSchemas.reloads
        case .sessionPage: ManagementSchemas.sessions
        case .changedMessage: .object([.required("success", .success)] + SchemaComponent.changedMembers)
        case .changesPage:
            Answers.success(
                .required("messages", .list(of: .named(.message), atMost: HistoryQuery.limits.upperBound)),
                .required("hasMore", .boolean),
                .required("lastSeq", .count(9).noted("the page is complete up to this number")))
        case .deadLetterPage: Answers.deadLetterPage
        case .delivery: .named(.delivery)
        case .document: .object()
        case .done: Answers.success()
        case .endedSessions: Answers.success(.required("sessions", .count(2)))
        case .erasure: Answers.erasure
        case .content, .export, .file, .metrics, .page, .styleSheet: nil
        case .health:
            .object(.required("status", .choice(["ok"])), .required("service", .choice(["chat-service"])))
        case .historyPage: Answers.historyPage
        case .message: Answers.success(.required("message", .named(.message)))
        case .onlineStatusList: .list(of: Answers.onlineStatus, atMost: PresenceRoutes.maximumIDs)
        case .onlineUserPage: Answers.onlineUserPage
        case .people: .list(of: Answers.person, atMost: PeopleQuery.limits.upperBound)
        case .presenceList: .list(of: Answers.presence, atMost: PresenceRoutes.maximumIDs)
        case .readMarkPage:
            Answers.success(
                .required("readMarks", .list(of: .named(.readMark))), .optional("cursor", .id("ada")))
        case .readiness: Answers.readiness
        case .replayedDeadLetters: Answers.success(.required("replayed", .count(3)))
        case .room: Answers.success(.required("room", .object(Answers.room)))
        case .roomPage:
            Answers.success(
                .required("rooms", .list(of: .object(Answers.listedRoom))),
                .optional("cursor", .text("1795267795285:general")))
        case .searchPage: Answers.searchPage
        case .sentMessage:
            .object([.required("success", .success)] + SchemaComponent.sentMembers)
        case .uploadedFile: Answers.uploadedFile
        }
    }

    var mediaType: String {
        switch self {
        case .content: "*/*"
        case .export: "application/x-ndjson"
        case .file: "application/octet-stream"
        case .metrics: "text/plain"
        case .page: "text/html"
        case .styleSheet: "text/css"
        default: "application/json"
        }
    }
}

/// The bodies that answer one call or few.
private enum Answers {
    static func success(_ members: Schema.Member...) -> Schema {
        .object([.required("success", .success)] + members)
    }

    // MARK: Messages

    static let historyPage = success(
        .required("messages", .list(of: .named(.message), atMost: HistoryQuery.limits.upperBound)),
        .required("hasMore", .boolean.noted("whether there is more in the direction asked for")),
        .optional("hasMoreBefore", .boolean), .optional("hasMoreAfter", .boolean),
        .required("firstSeq", .nullable(.integer(7))), .required("lastSeq", .nullable(.integer(7))))

    static let searchPage = success(
        .required(
            "results",
            .list(
                of: .object(
                    SchemaComponent.messageMembers + [
                        .required(
                            "highlights",
                            .list(of: .list(of: .count(5), atMost: 2)).noted(
                                "`[start, end]` of each place in `message`, in UTF-16 code units"))
                    ]), atMost: MessageSearch.limits.upperBound)),
        .optional("cursor", .text("p1795").noted("what `before` takes for the next page")))

    // MARK: Rooms

    static let room: [Schema.Member] = [
        .required("roomId", .id("general")),
        .required("type", .choice([Room.Kind.direct, .group].map(\.rawValue))), .required("private", .boolean),
        .required("name", .nullable(.text("General"))), .required("owner", .nullable(.id("ada"))),
        .required("readOnly", .boolean), .required("slowModeSeconds", .integer(30, in: RoomRevision.slowModes)),
        .required("retentionDays", .nullable(.integer(30, in: RoomRevision.retentions))),
        .required("createdAt", .milliseconds), .required("updatedAt", .milliseconds), .required("lastSeq", .count(7)),
        .required("members", .count(12)), .optional("online", .count(3)),
        .optional("participants", .list(of: .id("ada"), atMost: RoomInfo.participantLimit)),
        .optional("role", role),
    ]

    private static let role = Schema.choice(RoomRole.allCases.map(\.rawValue))

    // MARK: Who may do what

    static func aboutRights(_ shape: RouteAnswer.Shape) -> Schema {
        switch shape {
        case .banPage: page("bans", .object(ban))
        case .blockPage: page("blocks", .object(.required("userId", .id("bob")), .required("timestamp", .milliseconds)))
        case .flagPage:
            success(
                .required("flags", .list(of: flag)),
                .optional("cursor", .text("6a2f1c5e9b3d4f7081923a4b:ada")))
        case .rolePage: page("roles", .object(.required("userId", .id("ada")), .required("role", role)))
        case .sanctionPage:
            success(
                .optional("bans", .list(of: .object(standing))), .optional("mutes", .list(of: .object(standing))),
                .optional("cursor", .id("ada")))
        case .settledFlags: success(.required("flags", .count(2)))
        case .userBan: .object([.required("success", .success)] + ban)
        default: .object([.required("success", .success)] + standing + [.optional("role", role)])
        }
    }

    private static func page(_ name: String, _ element: Schema) -> Schema {
        success(.required(name, .list(of: element)), .optional("cursor", .id("ada")))
    }

    private static let ban: [Schema.Member] = [
        .required("userId", .id("bob")), .optional("until", .milliseconds), .optional("reason", .text("spam")),
        .required("timestamp", .milliseconds),
    ]

    private static let standing = ban + [.required("by", .nullable(.id("ada")))]

    private static let flag = Schema.object(
        .required("messageId", .messageID), .required("userId", .id("ada")),
        .required("reason", .nullable(.text("spam"))), .required("timestamp", .milliseconds))

    private static let lastMessage = Schema.object(
        .required("content", .text("hello")), .required("timestamp", .milliseconds), .required("senderId", .id("ada")),
        .required("username", .text("Ada")), .required("seq", .integer(7)))

    static let listedRoom =
        room + [
            .required("lastMessage", .nullable(lastMessage)), .required("unread", .count(2)),
            .required("mentions", .count(1)),
            .required("lastReadSeq", .count(5)),
        ]

    // MARK: Files

    static let uploadedFile = success(
        .required("fileId", .text("0f343b0931126a20f133d67c2b018a3b", 32...32)),
        .required("url", .text("/api/files/0f343b0931126a20f133d67c2b018a3b/a.png?expires=1795271395&signature=…")),
        .required("name", .text("a.png", 1...FileName.maximumCharacters)), .required("size", .count(1234)),
        .required("contentType", .text("image/png")), .required("sha256", .text("9f86d081…")),
        .optional("width", .count(640)), .optional("height", .count(480)))

    // MARK: Presence

    static let onlineStatus = Schema.object(
        .required("id", .oneOf(.text("ada"), .integer(1)).noted("an integer up to 2^53 − 1 comes back as a number")),
        .required("online", .boolean))

    static let presence = Schema.object(
        .required("userId", .id("ada")), .required("status", SchemaComponent.status), .required("online", .boolean),
        .required("lastSeen", .nullable(.time)), .required("sessions", .count(1)))

    private static let onlineUser = Schema.object(
        .required("id", .id("ada")), .required("name", .nullable(.text("Ada Lovelace"))),
        .required("username", .text("Ada")),
        .optional("email", .nullable(.text("ada@example.org")).noted("for services alone")),
        .required("avatar", .nullable(.text("https://example.org/ada.png"))),
        .required("status", SchemaComponent.status))

    static let person = Schema.object(
        .required("userId", .id("ada")), .required("username", .text("Ada")),
        .required("name", .nullable(.text("Ada Lovelace"))),
        .required("avatar", .nullable(.text("https://example.org/ada.png"))),
        .required("status", SchemaComponent.status))

    static let onlineUserPage = success(
        .optional("data", .list(of: onlineUser)), .required("count", .count(1)), .required("timestamp", .time),
        .optional("cursor", .id("ada")))

    // MARK: Privacy

    static let erasure = success(
        .required("state", .choice(["none", "running"])), .optional("erasureId", .id("65f0c1b2a3d4e5f60718293a")),
        .optional("stage", .choice(ErasureJob.Stage.allCases.map(\.rawValue))),
        .optional("messages", .count(120).noted("messages that lost their text or author so far")),
        .optional("requestedAt", .milliseconds))

    // MARK: Webhooks

    private static let deadLetter = Schema.object(
        .required("event", .text("65f0c1b2a3d4e5f60718293a").noted("the event's `webhook-id`")),
        .required("receiver", .text("9f86d081884c7d65").noted("the first 16 hex digits of its URL's SHA-256")),
        .required("type", .text("message.sent")), .optional("roomId", .id("general")),
        .optional("seq", .integer(7)), .required("attempts", .count(10)),
        .required("failure", .nullable(.text("the receiver answered 500"))), .required("timestamp", .milliseconds))

    static let deadLetterPage = success(
        .required("deadLetters", .list(of: deadLetter)),
        .optional("cursor", .text("65f0c1b2a3d4e5f60718293a:9f86d081884c7d65")))

    // MARK: Operations

    static let readiness = Schema.object(
        .required("ready", .boolean),
        .required("status", .choice(["ok", "degraded", "unavailable", "draining"])),
        .required("dependencies", .object().noted("by name: `state`, `since`, and the last error")))
}
