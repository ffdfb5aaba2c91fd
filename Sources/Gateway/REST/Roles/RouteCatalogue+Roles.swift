import ChatDomain
import WireProtocols

/// Calls about who may do what in rooms.
extension RouteCatalogue {
    static let roles =
        sanctions("bans", "a ban", .init(StandingRoutes.ban, StandingRoutes.unban, StandingRoutes.bans))
        + sanctions("mutes", "a mute", .init(StandingRoutes.mute, StandingRoutes.unmute, StandingRoutes.mutes))
        + [
            Route(
                .put, "/api/rooms/:roomId/roles/:userId", access: .owner, refusesInputFirst: true, limit: .calls,
                summary: "makes the user a moderator, or a member again",
                parameters: [
                    .body("role", .choice([RoomRole.moderator, .member].map(\.rawValue)), isRequired: true)
                ],
                answer: RouteAnswer(.standing, 200), refusals: [.conflict, .storageUnavailable],
                handler: StandingRoutes.setRole),
            Route(
                .delete, "/api/rooms/:roomId/roles/:userId", access: .owner, limit: .calls,
                summary: "makes a moderator a member again",
                answer: RouteAnswer(.done, 200), refusals: [.conflict, .notFound, .storageUnavailable],
                handler: StandingRoutes.removeRole),
            Route(
                .get, "/api/rooms/:roomId/roles", access: .reader, summary: "the room's owner and moderators",
                parameters: page, answer: RouteAnswer(.rolePage, 200), refusals: [.storageUnavailable],
                handler: StandingRoutes.roles),
        ] + flags + blocks + userBans

    private static let flags = [
        Route(
            .post, "/api/chat/:roomId/messages/:messageId/flags", access: .user, refusesInputFirst: true, limit: .calls,
            summary: "reports a message to the room's moderators",
            parameters: [reason], answer: RouteAnswer(.done, 200), refusals: [.notFound, .storageUnavailable],
            handler: FlagRoutes.flag),
        Route(
            .delete, "/api/chat/:roomId/messages/:messageId/flags", access: .moderator, limit: .calls,
            summary: "settles the reports of a message",
            answer: RouteAnswer(.settledFlags, 200), refusals: [.notFound, .storageUnavailable],
            handler: FlagRoutes.settle),
        Route(
            .get, "/api/chat/:roomId/flags", access: .moderator, summary: "reports that are not settled",
            parameters: [.query("cursor", .text(atMost: nil)), .query("limit", .integer(StandingRoutes.pageLimits))],
            answer: RouteAnswer(.flagPage, 200), refusals: [.storageUnavailable], handler: FlagRoutes.list),
    ]

    private static let blocks = [
        Route(
            .put, "/api/users/:userId/blocks/:blockedId", access: .userOrService, limit: .calls,
            summary: "has the user block another", answer: RouteAnswer(.done, 200),
            refusals: [.conflict, .storageUnavailable], handler: BlockRoutes.block),
        Route(
            .delete, "/api/users/:userId/blocks/:blockedId", access: .userOrService, limit: .calls,
            summary: "ends a block", answer: RouteAnswer(.done, 200), refusals: [.notFound, .storageUnavailable],
            handler: BlockRoutes.unblock),
        Route(
            .get, "/api/users/:userId/blocks", access: .userOrService, summary: "the users that the user blocks",
            parameters: page, answer: RouteAnswer(.blockPage, 200), refusals: [.storageUnavailable],
            handler: BlockRoutes.list),
    ]

    private static let userBans = [
        Route(
            .put, "/internal/bans/:userId", access: .service, limit: .calls,
            summary: "bans the user from the whole deployment", parameters: terms,
            answer: RouteAnswer(.userBan, 200), refusals: [.conflict, .storageUnavailable],
            handler: UserBanRoutes.ban),
        Route(
            .delete, "/internal/bans/:userId", access: .service, limit: .calls, summary: "ends such a ban",
            answer: RouteAnswer(.done, 200), refusals: [.notFound, .storageUnavailable],
            handler: UserBanRoutes.unban),
        Route(
            .get, "/internal/bans", access: .service, summary: "the users that are banned", parameters: page,
            answer: RouteAnswer(.banPage, 200), refusals: [.storageUnavailable], handler: UserBanRoutes.list),
    ]

    private typealias Handler =
        @Sendable (StandingRoutes) -> @Sendable (RESTRequest) async throws(ChatError) -> HTTPResponse

    private struct Handlers {
        let set: Handler
        let clear: Handler
        let list: Handler

        init(_ set: @escaping Handler, _ clear: @escaping Handler, _ list: @escaping Handler) {
            (self.set, self.clear, self.list) = (set, clear, list)
        }
    }

    static let page: [RouteParameter] = [
        .query("cursor", .identifier), .query("limit", .integer(StandingRoutes.pageLimits)),
    ]

    private static let reason = RouteParameter.body("reason", .text(atMost: RoomStanding.maximumReasonCharacters))

    /// The body of a ban or mute.
    private static let terms: [RouteParameter] = [.body("until", .time), reason]

    private static func sanctions(_ name: String, _ one: String, _ handlers: Handlers) -> [Route] {
        let (all, user) = ("/api/rooms/:roomId/\(name)", "/api/rooms/:roomId/\(name)/:userId")
        return [
            Route(
                .put, RoutePattern(user), access: .moderator, refusesInputFirst: true, limit: .calls,
                summary: "puts \(one) on the user", parameters: terms, answer: RouteAnswer(.standing, 200),
                refusals: [.conflict, .storageUnavailable], handler: handlers.set),
            Route(
                .delete, RoutePattern(user), access: .moderator, limit: .calls, summary: "ends \(one)",
                answer: RouteAnswer(.done, 200), refusals: [.conflict, .notFound, .storageUnavailable],
                handler: handlers.clear),
            Route(
                .get, RoutePattern(all), access: .moderator, summary: "the room's \(name)", parameters: page,
                answer: RouteAnswer(.sanctionPage, 200), refusals: [.storageUnavailable], handler: handlers.list),
        ]
    }
}
