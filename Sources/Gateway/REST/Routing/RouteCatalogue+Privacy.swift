import ChatDomain

extension RouteCatalogue {
    /// Calls that erase and export, for services.
    static let privacy = [
        Route(
            .delete, "/internal/users/:userId", access: .service, limit: .calls,
            summary: "erases all that is known of a user; the messages lose their text or their author",
            parameters: [.query("messages", .choice(ErasedMessages.allCases.map(\.rawValue)), isRequired: true)],
            answer: RouteAnswer(.erasure, 202), refusals: [.storageUnavailable], handler: PrivacyRoutes.eraseUser),
        Route(
            .get, "/internal/users/:userId", access: .service, limit: .calls,
            summary: "how far the erasure of a user got; 200 when none is under way",
            answer: RouteAnswer(.erasure, 200, 202), refusals: [.storageUnavailable],
            handler: PrivacyRoutes.userProgress),
        Route(
            .get, "/internal/users/:userId/export", access: .service, limit: .calls,
            summary: "a page of all that is known of a user, as lines of JSON", parameters: [exportCursor],
            answer: RouteAnswer(.export, 200), refusals: [.storageUnavailable], handler: ExportRoutes.user),
        Route(
            .delete, "/internal/rooms/:roomId", access: .service, limit: .calls,
            summary: "deletes a room and erases its messages",
            parameters: [.query("erase", .boolean, isRequired: true)],
            answer: RouteAnswer(.erasure, 202), refusals: [.storageUnavailable], handler: PrivacyRoutes.eraseRoom),
        Route(
            .get, "/internal/rooms/:roomId", access: .service, limit: .calls,
            summary: "how far the erasure of a room got; 200 when none is under way",
            answer: RouteAnswer(.erasure, 200, 202), refusals: [.storageUnavailable],
            handler: PrivacyRoutes.roomProgress),
        Route(
            .get, "/internal/rooms/:roomId/export", access: .service, limit: .calls,
            summary: "a page of a room's properties, participants and messages, as lines of JSON",
            parameters: [exportCursor],
            answer: RouteAnswer(.export, 200), refusals: [.notFound, .storageUnavailable], handler: ExportRoutes.room),
    ]

    private static let exportCursor = RouteParameter.query(
        "cursor", .text(atMost: ExportRoutes.maximumCursorCharacters))
}
