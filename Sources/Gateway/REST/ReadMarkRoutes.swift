import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import WireProtocols

/// A room's read marks over REST.
struct ReadMarkRoutes: RouteGroup {
    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    /// How far the room's users have read, in the order of their ids.
    func list(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let id = request.roomID
        let limit = try request.integer("limit", in: HistoryRoutes.limits)
        var cursor: UserID?
        if let text = request.query("cursor") { cursor = try UserID(validating: text, field: "cursor") }
        _ = try await access.info(id, by: try request.caller())
        let size = limit.map(Int.init) ?? HistoryQuery.defaultLimit
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.readMarks(in: id, after: cursor, limit: size + 1)
        }
        return .json(
            EventJSON.success { out in
                out.readMarks(Array(found.prefix(size)))
                guard found.count > size else { return }
                out.member("cursor", found[size - 1].userID.value)
            })
    }
}
