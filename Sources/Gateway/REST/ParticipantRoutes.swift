import ChatCore
import ChatProtocol
import ChatDomain
import WireProtocols

/// Adding and removing a room's participants over REST.
struct ParticipantRoutes: RouteGroup {
    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func add(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, id, caller) = (request.userID, request.roomID, try request.caller())
        let info = try await access.infoForOwner(id, by: caller)
        guard info.room.kind == .group else { throw .badRequest("a direct room has its two participants") }
        guard !info.authority.isBanned(user) else {
            throw ChatError(.conflict, "this user is banned from the room")
        }
        let limit = services.configuration.roomLimits.maximumParticipants
        let isStored = try await access.change(id) { (store) async throws(StoreError) in
            try await store.add(user, to: id, limit: limit)
        }
        guard isStored else { throw ChatError(.conflict, "the room holds \(limit) participants already") }
        access.log("participant added", id, about: user, by: caller)
        await services.announce(id, .admitted(user))
        return .json(EventJSON.success())
    }

    /// The owner and services may remove any participant, and every participant may remove themselves.
    func remove(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, id, caller) = (request.userID, request.roomID, try request.caller())
        let info =
            caller.user?.userID == user
            ? try await access.info(id, by: caller) : try await access.infoForOwner(id, by: caller)
        guard info.room.kind == .group else { throw .badRequest("a direct room has its two participants") }
        let isStored = try await access.change(id, isMade: \.self) { (store) async throws(StoreError) in
            try await store.remove(user, from: id)
        }
        guard isStored else { throw ChatError(.notFound, "this user takes no part in the room") }
        access.log("participant removed", id, about: user, by: caller)
        await services.announce(id, .expelled(user))
        return .json(EventJSON.success())
    }
}
