import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import Telemetry
import WireProtocols

/// Bans from the whole deployment, for services.
struct UserBanRoutes: RouteGroup {
    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    /// Ends the user's sessions on all instances.
    func ban(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, caller, now) = (request.userID, try request.caller(), services.clock.now.wall)
        let terms = try request.sanctionTerms(limits: services.configuration.commands, at: now)
        let ban = UserBan(user, until: terms.until, reason: terms.reason, since: now)
        let outcome = try await access.store { (store) async throws(StoreError) in try await store.ban(ban) }
        try outcome.check("at most \(UserBan.limit) users are banned at once")
        services.logger.notice("user banned", ["user": user.value, "by": caller.logName])
        await services.audit.record(try request.act(.userBan))
        try await services.announceStanding(of: user)
        return .json(EventJSON.success { $0.ban(ban) })
    }

    func unban(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, caller) = (request.userID, try request.caller())
        let isDone = try await access.store { (store) async throws(StoreError) in try await store.unban(user) }
        guard isDone else {
            // An attempt whose answer was lost may have ended it, and told no instance.
            try await services.announceStanding(of: user)
            throw ChatError(.notFound, "this user is not banned")
        }
        services.logger.notice("ban of a user ended", ["user": user.value, "by": caller.logName])
        await services.audit.record(try request.act(.userUnban))
        try await services.announceStanding(of: user)
        return .json(EventJSON.success())
    }

    func list(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let page = try UserPage(request, limits: StandingRoutes.pageLimits)
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.bans(after: page.cursor, limit: page.limit + 1)
        }
        let now = services.clock.now.wall
        return .json(
            page.body("bans", found, of: \.user, where: { ban in ban.until.map { $0 > now } ?? true }) { out, ban in
                out.object { $0.ban(ban) }
            })
    }
}

extension JSONWriter {
    fileprivate mutating func ban(_ ban: UserBan) {
        member("userId", ban.user.value)
        terms(until: ban.until, reason: ban.reason)
        member("timestamp", ban.since.milliseconds)
    }
}
