import ChatDomain

extension RouteCatalogue {
    /// Calls about webhooks, for services.
    static let webhooks = [
        Route(
            .get, "/internal/webhooks/dead-letters", access: .service,
            summary: "events that webhook receivers did not take",
            parameters: [
                .query("cursor", .text(atMost: WebhookRoutes.maximumCursorCharacters)),
                .query("limit", .integer(WebhookRoutes.pageLimits)),
            ],
            answer: RouteAnswer(.deadLetterPage, 200), refusals: [.storageUnavailable],
            handler: WebhookRoutes.deadLetters),
        Route(
            .post, "/internal/webhooks/dead-letters/replay", access: .service, limit: .calls,
            summary: "has them attempted again: those of one event, or all",
            parameters: [.query("event", .text(atMost: WebhookRoutes.maximumEventCharacters))],
            answer: RouteAnswer(.replayedDeadLetters, 200), refusals: [.notFound, .storageUnavailable],
            handler: WebhookRoutes.replay),
    ]
}
