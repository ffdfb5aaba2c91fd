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
        try await info(room, by: caller, showing: nil)
    }

    /// The same; the count of users online leaves out those that are hidden from the caller.
    func visibleInfo(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        let viewer = await services.presence.viewer(caller.user?.userID, isService: caller.isService)
        return try await info(room, by: caller, showing: viewer.visibleWithOwn)
    }

    private func info(
        _ room: RoomID, by caller: Caller, showing visible: Set<UserID>?
    ) async throws(ChatError) -> RoomInfo {
        let user = caller.user?.userID
        switch await services.ask(room, { .info($0, user, showing: visible) }) {
        case .info(let info) where info.isAdmitted || caller.isService: return info
        case .refused(let error): throw error
        default: throw .roomUnavailable
        }
    }

    /// - Throws: `forbidden` unless the caller owns the room or shows the service key.
    func infoForOwner(_ room: RoomID, by caller: Caller) async throws(ChatError) -> RoomInfo {
        let info = try await visibleInfo(room, by: caller)
        guard caller.isService || (info.room.owner != nil && info.room.owner == caller.user?.userID) else {
            throw ChatError(.forbidden, "only the room's owner may do this")
        }
        return info
    }

    func log(_ change: String, _ room: RoomID, about user: UserID? = nil, by caller: Caller) {
        services.logger.notice(change, ["room": room.value, "user": user?.value, "by": caller.logName])
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
