import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import WireProtocols

/// A room's bans, mutes and roles over REST.
struct StandingRoutes: RouteGroup {
    static let pageLimits: ClosedRange<Int64> = 1...200

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    // MARK: Bans and mutes

    func ban(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await sanction(.ban, request) }
    func unban(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await pardon(.ban, request) }
    func bans(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await list(.ban, request) }
    func mute(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await sanction(.mute, request) }
    func unmute(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await pardon(.mute, request) }
    func mutes(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await list(.mute, request) }

    private func sanction(_ kind: RoomStanding.Kind, _ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let terms = try request.sanctionTerms(limits: services.configuration.commands, at: services.clock.now.wall)
        return try await set(kind, request, until: terms.until, reason: terms.reason)
    }

    private func pardon(_ kind: RoomStanding.Kind, _ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        guard try await clear(kind, request) else {
            throw ChatError(.notFound, kind == .ban ? "this user is not banned" : "this user is not muted")
        }
        return .json(EventJSON.success())
    }

    private func list(_ kind: RoomStanding.Kind, _ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (id, page) = (request.roomID, try UserPage(request, limits: Self.pageLimits))
        _ = try await access.infoForModerator(id, by: try request.caller())
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.standings(kind, in: id, after: page.cursor, limit: page.limit + 1)
        }
        let now = services.clock.now.wall
        return .json(
            page.body(
                kind == .ban ? "bans" : "mutes", found, of: \.user, where: { !$0.isOver(at: now) },
                { out, standing in out.object { $0.standing(standing) } }))
    }

    // MARK: Roles

    /// Appoints a moderator, or makes one a member again.
    func setRole(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let role = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> RoomRole in
            let text = try fields.optionalText("role", maximumCharacters: 16)
            guard let role = text.flatMap(RoomRole.init), role != .owner else {
                throw .badRequest("role must be moderator or member; an owner hands the room over by PATCH")
            }
            return role
        }
        if role == .moderator { return try await set(.moderator, request) }
        _ = try await clear(.moderator, request)
        let (user, caller, now) = (request.userID, try request.caller(), services.clock.now.wall)
        return .json(
            EventJSON.success { out in
                out.member("userId", user.value)
                out.member("role", RoomRole.member.rawValue)
                out.member("by", caller.user?.userID.value)
                out.member("timestamp", now.milliseconds)
            })
    }

    func removeRole(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        guard try await clear(.moderator, request) else { throw ChatError(.notFound, "this user has no role") }
        return .json(EventJSON.success())
    }

    /// The owner and the moderators, in the order of their ids.
    func roles(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (id, page) = (request.roomID, try UserPage(request, limits: Self.pageLimits))
        let info = try await access.visibleInfo(id, by: try request.caller())
        let all = info.authority.moderators.union(info.room.owner.map { [$0] } ?? []).sorted()
        let found = all.filter { user in page.cursor.map { $0 < user } ?? true }.prefix(page.limit + 1)
        return .json(
            page.body("roles", Array(found), of: \.self) { out, user in
                out.object { out in
                    out.member("userId", user.value)
                    out.member("role", info.authority.role(of: user, in: info.room).rawValue)
                }
            })
    }

    // MARK: Changes

    private func set(
        _ kind: RoomStanding.Kind, _ request: RESTRequest, until: Timestamp? = nil, reason: String? = nil
    ) async throws(ChatError) -> HTTPResponse {
        let (user, id, caller) = (request.userID, request.roomID, try request.caller())
        try await check(kind, request, by: caller)
        let standing = RoomStanding(
            kind, of: user, until: until, reason: reason, by: caller.user?.userID, since: services.clock.now.wall)
        let outcome = try await access.change(id) { (store) async throws(StoreError) in
            try await store.set(standing, in: id)
        }
        try outcome.check("the room has \(kind.limit) of these already")
        access.log(kind.set, id, about: user, by: caller)
        await services.audit.record(try request.act(kind.setAction))
        await services.announce(id, .standing(.set(kind, user, until: until)))
        return .json(EventJSON.success { $0.standing(standing) })
    }

    /// False where there was nothing to take away.
    private func clear(_ kind: RoomStanding.Kind, _ request: RESTRequest) async throws(ChatError) -> Bool {
        let (user, id, caller) = (request.userID, request.roomID, try request.caller())
        try await check(kind, request, by: caller)
        let isCleared = try await access.change(id, isMade: \.self) { (store) async throws(StoreError) in
            try await store.clear(kind, of: user, in: id)
        }
        guard isCleared else { return false }
        access.log(kind.cleared, id, about: user, by: caller)
        await services.audit.record(try request.act(kind.clearedAction))
        await services.announce(id, .standing(.cleared(kind, user)))
        return true
    }

    private func check(_ kind: RoomStanding.Kind, _ request: RESTRequest, by caller: Caller) async throws(ChatError) {
        let info = try await access.infoForModerator(request.roomID, by: caller)
        if let refusal = info.authority.refusal(of: kind, about: request.userID, by: caller.actor, in: info.room) {
            throw refusal
        }
    }
}

extension RoomStanding.Kind {
    fileprivate var setAction: AuditEntry.Action {
        switch self {
        case .moderator: .roleSet
        case .ban: .roomBan
        case .mute: .mute
        }
    }

    fileprivate var clearedAction: AuditEntry.Action {
        switch self {
        case .moderator: .roleCleared
        case .ban: .roomUnban
        case .mute: .unmute
        }
    }

    fileprivate var set: String {
        switch self {
        case .moderator: "moderator appointed"
        case .ban: "user banned from a room"
        case .mute: "user muted in a room"
        }
    }

    fileprivate var cleared: String {
        switch self {
        case .moderator: "moderator dismissed"
        case .ban: "ban from a room ended"
        case .mute: "mute in a room ended"
        }
    }
}

extension RecordOutcome {
    /// - Parameter limit: says what is full.
    /// - Throws: `conflict` where it is full, `forbidden` where the room is not there.
    func check(_ limit: String) throws(ChatError) {
        switch self {
        case .recorded: return
        case .full: throw ChatError(.conflict, limit)
        case .noRoom: throw .roomUnavailable
        }
    }
}

extension JSONWriter {
    fileprivate mutating func standing(_ standing: RoomStanding) {
        member("userId", standing.user.value)
        if standing.kind == .moderator {
            member("role", RoomRole.moderator.rawValue)
        } else {
            terms(until: standing.until, reason: standing.reason)
        }
        member("by", standing.author?.value)
        member("timestamp", standing.since.milliseconds)
    }

    /// `until` and `reason`, where there are such.
    mutating func terms(until: Timestamp?, reason: String?) {
        if let until { member("until", until.milliseconds) }
        if let reason { member("reason", reason) }
    }
}
