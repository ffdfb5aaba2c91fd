import ChatCore
import ChatDomain
import Telemetry

/// Asking rooms, from REST.
struct RoomAccess: Sendable {
    let services: Services

    func ask(_ room: RoomID, _ command: (RequestOrigin) -> RoomCommand) async -> RoomReply {
        await services.ask(room, command)
    }

    /// The room as the caller may see it.
    ///
    /// - Throws: `unauthorized` for nobody where names are needed; the same `forbidden` for a room that does not exist and
    ///   one that is closed to the caller.
    func info(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        try await info(room, by: caller, showing: nil)
    }

    /// The same, counting as present the users the caller may see.
    func lookAround(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        let viewer = await services.presence.viewer(caller.user?.userID, isService: caller.isService)
        return try await info(room, by: caller, showing: viewer.visibleWithOwn)
    }

    private func info(
        _ room: RoomID, by caller: Caller, showing visible: Set<UserID>?
    ) async throws(ChatError) -> RoomInfo {
        if caller.user == nil, !caller.isService, services.configuration.requiresAuthentication { throw .unauthorized }
        let user = caller.user?.userID
        switch await ask(room, { .info($0, user, showing: visible) }) {
        case .info(let info) where info.isAdmitted || caller.isService: return info
        case .refused(let error): throw error
        default: throw .roomUnavailable
        }
    }

    /// - Throws: `forbidden` unless the caller owns the room or shows the service key.
    func infoForOwner(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        let info = try await lookAround(room, by: caller)
        guard caller.isService || (info.room.owner != nil && info.room.owner == caller.user?.userID) else {
            throw ChatError(.forbidden, "only the room's owner may do this")
        }
        return info
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
