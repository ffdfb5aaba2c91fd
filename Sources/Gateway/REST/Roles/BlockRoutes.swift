import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import Telemetry
import WireProtocols

/// Blocks between users over REST. Users manage their own; services manage everybody's.
struct BlockRoutes: RouteGroup {
    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func block(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, other) = (try blocker(request), request.blockedID)
        guard other != user else { throw .badRequest("users cannot block themselves") }
        let block = UserBlock(other, since: services.clock.now.wall)
        let outcome = try await access.store { (store) async throws(StoreError) in
            try await store.block(block, by: user)
        }
        try outcome.check("a user blocks \(UserBlock.limit) others at most")
        services.logger.info("user blocked", ["by": user.value])
        try await announce(.blocked(other), of: other, by: user)
        return .json(EventJSON.success())
    }

    func unblock(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, other) = (try blocker(request), request.blockedID)
        let isDone = try await access.store { (store) async throws(StoreError) in
            try await store.unblock(other, by: user)
        }
        guard isDone else {
            // An attempt whose answer was lost may have ended it, and told no instance.
            try await announce(.unblocked(other), of: other, by: user)
            throw ChatError(.notFound, "this user is not blocked")
        }
        services.logger.info("block ended", ["by": user.value])
        try await announce(.unblocked(other), of: other, by: user)
        return .json(EventJSON.success())
    }

    func list(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, page) = (try blocker(request), try UserPage(request, limits: StandingRoutes.pageLimits))
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.blocks(by: user, after: page.cursor, limit: page.limit + 1)
        }
        return .json(
            page.body("blocks", found, of: \.user) { out, block in
                out.object { out in
                    out.member("userId", block.user.value)
                    out.member("timestamp", block.since.milliseconds)
                }
            })
    }

    /// - Throws: `forbidden` for a user other than the one that the path names.
    private func blocker(_ request: RESTRequest) throws(ChatError) -> UserID {
        let caller = try request.caller()
        guard caller.isService || caller.user?.userID == request.userID else {
            throw ChatError(.forbidden, "users manage their own blocks")
        }
        return request.userID
    }

    /// Returns when presence and the direct room of the two follow on every instance.
    private func announce(_ change: StandingChange, of other: UserID, by user: UserID) async throws(ChatError) {
        await services.announce(DirectRoom.id(of: user, and: other), .standing(change))
        try await services.announceStanding(of: other)
    }
}
