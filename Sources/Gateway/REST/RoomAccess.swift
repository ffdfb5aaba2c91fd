import ChatCore
import ChatDomain
import Telemetry

/// The rules of rooms and the store that several routes share.
struct RoomAccess: Sendable {
    private let services: Services

    init(services: Services) { self.services = services }

    /// The room as the caller may see it.
    ///
    /// - Throws: the same `forbidden` for a room that does not exist and one that is closed to the caller.
    func info(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        try info(await services.calls.reply(to: askForInfo(of: room, by: caller)), for: caller)
    }

    /// Asks for the room. The answer is for `info(_:for:)`.
    func askForInfo(of room: RoomID, by caller: Caller) -> CallTable.Call {
        let user = caller.user?.userID
        return services.beginAsking(room) { .info($0, user, showing: .everybody) }
    }

    /// - Throws: as `info(_:by:)`.
    func info(_ reply: RoomReply, for caller: Caller) throws(ChatError) -> RoomInfo {
        let info = try Self.info(in: reply)
        if let refusal = info.refusal, !caller.isService { throw refusal }
        return info
    }

    private static func info(in reply: RoomReply) throws(ChatError) -> RoomInfo {
        switch reply {
        case .info(let info): return info
        case .refused(let error): throw error
        default: throw .roomUnavailable
        }
    }

    /// The same, also for an owner that does not take part; the count of users online leaves out those that are hidden from the caller.
    func visibleInfo(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        let viewer = await services.presence.viewer(caller.user?.userID, isService: caller.isService)
        let user = caller.user?.userID
        let info = try Self.info(in: await services.ask(room) { .info($0, user, showing: viewer.visibleUsers) })
        if let refusal = info.refusal, !info.authority.isManaged(by: caller.actor, info.room) { throw refusal }
        return info
    }

    /// - Throws: `forbidden` unless the caller owns the room or shows the service key.
    func infoForOwner(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        let info = try await visibleInfo(room, by: caller)
        guard info.authority.isManaged(by: caller.actor, info.room) else { throw .ownersOnly }
        return info
    }

    /// - Throws: `forbidden` unless the caller owns or moderates the room or shows the service key.
    func infoForModerator(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        let info = try await visibleInfo(room, by: caller)
        guard info.authority.isModerated(by: caller.actor, info.room) else { throw .moderatorsOnly }
        return info
    }

    func log(_ change: String, _ room: RoomID, about user: UserID? = nil, by caller: Caller) {
        services.logger.notice(change, ["room": room.value, "user": user?.value, "by": caller.logName])
    }

    /// Changes a room in the store.
    ///
    /// An attempt whose answer was lost may have made a change that no instance was told of. So where the outcome is not known, and
    /// where there was nothing left to change, all instances look in the store.
    ///
    /// - Parameter isMade: whether the result says that the store has the change by this call.
    func change<R: Sendable>(
        _ room: RoomID, isMade: (R) -> Bool = { _ in true },
        _ body: (any DurableStore) async throws(StoreError) -> R
    ) async throws(ChatError) -> R {
        let result: R
        do throws(ChatError) { result = try await store(body) } catch {
            Task { [services] in await services.announce(room, .unspecified) }
            throw error
        }
        if !isMade(result) { await services.announce(room, .unspecified) }
        return result
    }

    func store<R: Sendable>(
        _ body: (any DurableStore) async throws(StoreError) -> R
    ) async throws(ChatError) -> R {
        do throws(StoreError) { return try await body(services.store) } catch {
            services.storeTrouble.warning("store call failed", ["reason": "\(error)"])
            throw .storageUnavailable
        }
    }
}
