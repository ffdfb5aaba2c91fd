import ChatDomain

/// The shapes that events and answers of REST share.
extension SchemaComponent {
    package static let message = Self("Message", .object(messageMembers))

    package static let messageMembers: [Schema.Member] = [
        .required("messageId", .messageID), .required("seq", .integer(7, in: 1...Int64.max)),
        .required("roomId", .id("general")), .required("userId", .id("ada")), .required("username", .text("Ada")),
        .required("message", .text("hello")), .required("messageType", .text("text", 1...32)),
        .required("timestamp", .milliseconds), .optional("clientMessageId", .text("c1", 1...128)),
        .optional("metadata", .object()), .optional("replyTo", .text("6b019cd338c20c8767990049", 1...128)),
        .optional("mentions", .list(of: .id("ben"), atMost: Mentions.limit)),
        .optional("editedAt", .milliseconds), .optional("deleted", .boolean), .optional("pinned", .boolean),
        .optional("changeSeq", .count(9).noted("the number of its last change")),
        .optional("reactions", .list(of: reaction, atMost: Reaction.limit)),
        .optional("replyCount", .count(2)),
        .optional("lastReplySeq", .count(8).noted("the number of the last reply that replyCount counts")),
    ]

    private static let reaction = Schema.object(
        .required("emoji", .text("👍")), .required("count", .count(1)),
        .required("userIds", .list(of: .id("ben"), atMost: Reaction.listedUsers)))

    package static let user = Self(
        "User", .object(.required("userId", .id("ada")), .required("username", .text("Ada"))))

    package static let readMark = Self(
        "ReadMark", .object(.required("userId", .id("ada")), .required("seq", .count(7))))

    package static let presence = Self("Presence", .object(presenceMembers))

    package static let presenceMembers: [Schema.Member] = [
        .required("userId", .id("ada")), .required("username", .text("Ada")), .required("status", status),
        .required("lastSeen", .nullable(.time)),
    ]

    package static let status = Schema.choice(PresenceStatus.allCases.map(\.rawValue))

    /// The members of a room in numbers.
    package static let stateMembers: [Schema.Member] = [
        .required("roomId", .id("general")), .required("lastSeq", .count(7)),
        .required("members", .count(12).noted("recorded participants")),
        .required("online", .count(3).noted("users present now")),
    ]

    package static let delivery = Self(
        "Delivery",
        .object(
            .required("status", .choice(["sent", "error"])),
            .required(
                "recipients",
                .object(
                    .required("total", .count(2)), .required("sent", .list(of: .id("ben"))),
                    .required("failed", .list(of: .id("cy"))))),
            .required("timestamp", .time)))

    /// The members of a stored message's answer, behind `success`.
    package static let sentMembers: [Schema.Member] = [
        .required("messageId", .messageID), .required("seq", .integer(7, in: 1...Int64.max)),
        .required("timestamp", .milliseconds), .optional("duplicate", .boolean),
    ]

    /// The members of a change's answer, behind `success`.
    package static let changedMembers: [Schema.Member] = [
        .required("messageId", .messageID), .optional("seq", .count(9).noted("the change's number")),
        .required("timestamp", .milliseconds), .optional("count", .count(1).noted("reactions with this emoji")),
        .optional("unchanged", .boolean), .optional("duplicate", .boolean),
    ]

    package static let errorCode = Self(
        "ErrorCode",
        .choice(ChatError.Code.allCases.map(\.rawValue)).noted(
            ChatError.Code.allCases.map { "`\($0.rawValue)`: \($0.meaning)" }.joined(separator: "; ")))

    /// The members of an error, wherever it is shown.
    package static let errorMembers: [Schema.Member] = [
        .required("code", .named(errorCode)), .required("message", .text("roomId is missing")),
        .required("retryable", .boolean.noted("whether the same request may succeed later, unchanged")),
        .optional("retryAfterMs", .count(250)),
    ]

    package static let refusal = Self(
        "Refusal",
        .object(.required("success", .boolean.noted("false")), .required("error", .object(errorMembers))))
}
