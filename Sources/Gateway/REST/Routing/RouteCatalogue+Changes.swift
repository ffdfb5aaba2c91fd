import ChatDomain

/// The calls about single messages.
extension RouteCatalogue {
    static let changes = [
        Route(
            .get, "/api/chat/:roomId/messages/:messageId", access: .reader, refusesInputFirst: true,
            summary: "a message as it is now",
            answer: RouteAnswer(.message, 200), refusals: [.notFound, .storageUnavailable],
            handler: ChangedMessageRoutes.read),
        Route(
            .patch, "/api/chat/:roomId/messages/:messageId", access: .user, refusesInputFirst: true, limit: .messages,
            summary: "edits one's message; metadata that is not given stays",
            parameters: [
                .body("message", .text(atMost: nil), isRequired: true), .body("metadata", .object),
                .body("mentions", .identifiers(atMost: Mentions.limit)), .body("clientMessageId", .text(atMost: 128)),
                key,
            ],
            answer: RouteAnswer(.changedMessage, 200), refusals: refusals, handler: ChangeRoutes.edit),
        Route(
            .delete, "/api/chat/:roomId/messages/:messageId", access: .userOrService, refusesInputFirst: true,
            limit: .messages, summary: "deletes a message: one's own, or any for the room's owner and services",
            parameters: [key],
            answer: RouteAnswer(.changedMessage, 200), refusals: refusals, handler: ChangeRoutes.delete),
        Route(
            .put, "/api/chat/:roomId/messages/:messageId/reactions/:emoji", access: .user, refusesInputFirst: true,
            limit: .messages, summary: "adds one's reaction", parameters: [key],
            answer: RouteAnswer(.changedMessage, 200), refusals: refusals, handler: ChangeRoutes.react),
        Route(
            .delete, "/api/chat/:roomId/messages/:messageId/reactions/:emoji", access: .user, refusesInputFirst: true,
            limit: .messages, summary: "removes one's reaction", parameters: [key],
            answer: RouteAnswer(.changedMessage, 200), refusals: refusals, handler: ChangeRoutes.unreact),
        Route(
            .put, "/api/chat/:roomId/messages/:messageId/pin", access: .userOrService, refusesInputFirst: true,
            limit: .messages, summary: "pins a message; for the room's owner and services", parameters: [key],
            answer: RouteAnswer(.changedMessage, 200), refusals: refusals, handler: ChangeRoutes.pin),
        Route(
            .delete, "/api/chat/:roomId/messages/:messageId/pin", access: .userOrService, refusesInputFirst: true,
            limit: .messages, summary: "unpins a message", parameters: [key],
            answer: RouteAnswer(.changedMessage, 200), refusals: refusals, handler: ChangeRoutes.unpin),
        Route(
            .get, "/api/chat/:roomId/messages/:messageId/replies", access: .reader, refusesInputFirst: true,
            summary: "a page of the messages that answer one",
            parameters: [
                .query("limit", .integer(HistoryRoutes.limits)), .query("before", .integer(HistoryRoutes.cursors)),
                .query("after", .integer(HistoryRoutes.cursors)),
            ],
            answer: RouteAnswer(.historyPage, 200), refusals: [.notFound, .storageUnavailable],
            handler: ChangedMessageRoutes.replies),
        Route(
            .get, "/api/chat/:roomId/changes", access: .reader, refusesInputFirst: true,
            summary: "messages that changed after a number, by their last changes",
            parameters: [
                .query("after", .integer(HistoryRoutes.cursors)), .query("limit", .integer(HistoryRoutes.limits)),
            ],
            answer: RouteAnswer(.changesPage, 200), refusals: [.storageUnavailable],
            handler: ChangedMessageRoutes.changed),
    ]

    private static let key = RouteParameter.header(
        "Idempotency-Key", .text(atMost: MessageRoutes.maximumKeyCharacters))
    private static let refusals: [ChatError.Code] = [.notFound, .conflict, .overloaded, .storageUnavailable]
}
