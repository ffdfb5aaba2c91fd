import ChatCore
import ChatDomain

extension RouteCatalogue {
    /// The fleet for operators.
    static let management = [
        Route(
            .get, "/internal/sessions", access: .service, summary: "the sessions of all instances",
            parameters: [
                .query("userId", .identifier), .query("roomId", .identifier), .query("instance", .text(atMost: 16)),
                .query("q", .text(atMost: TextFilter.maximumCharacters)),
                .query("sort", .choice(SessionOrder.allCases.map(\.rawValue))), limit,
            ],
            answer: RouteAnswer(.sessionPage, 200), refusals: [.notFound, .overloaded],
            handler: ManagementRoutes.sessions),
        Route(
            .get, "/internal/rooms", access: .service, summary: "the rooms with sessions, of all instances",
            parameters: [
                .query("q", .text(atMost: TextFilter.maximumCharacters)),
                .query("sort", .choice(RoomOrder.allCases.map(\.rawValue))), limit,
            ],
            answer: RouteAnswer(.liveRoomPage, 200), refusals: [.overloaded], handler: ManagementRoutes.rooms),
        Route(
            .get, "/internal/stats", access: .service, summary: "figures and dependencies of all instances",
            answer: RouteAnswer(.fleetStats, 200), refusals: [.overloaded], handler: ManagementRoutes.stats),
        Route(
            .get, "/internal/audit", access: .service, summary: "acts of management, the newest first",
            parameters: [
                limit, .query("before", .text(atMost: nil)),
                .query("action", .choice(AuditEntry.Action.allCases.map(\.rawValue))), .query("userId", .identifier),
                .query("actor", .identifier),
            ],
            answer: RouteAnswer(.auditPage, 200), refusals: [.storageUnavailable], handler: ManagementRoutes.audit),
        Route(
            .post, "/internal/drain", access: .service, limit: .calls,
            summary: "has an instance refuse new sessions and send away those it has",
            parameters: [.query("instance", .text(atMost: 16), isRequired: true)],
            answer: RouteAnswer(.drainedInstance, 202), refusals: [.notFound, .overloaded],
            handler: ManagementRoutes.drain),
        Route(
            .post, "/internal/reload", access: .service, limit: .calls,
            summary: "has all instances, or one, read their settings again",
            parameters: [.query("instance", .text(atMost: 16))],
            answer: RouteAnswer(.reloads, 200), refusals: [.conflict, .notFound, .overloaded],
            handler: ManagementRoutes.reload),
    ]

    private static let limit = RouteParameter.query("limit", .integer(ManagementRoutes.pageLimits))
}
