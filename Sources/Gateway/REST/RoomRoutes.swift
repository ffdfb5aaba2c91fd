import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import WireProtocols

/// Listing, reading, changing and deleting rooms over REST.
struct RoomRoutes: RouteGroup {
    static let listLimits: ClosedRange<Int64> = 1...200
    static let maximumNameCharacters = 128

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    /// A page of the caller's rooms, the most lately active first.
    func list(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let user = try request.user()
        let limit = Int(try request.integer("limit", in: Self.listLimits) ?? Self.listLimits.upperBound)
        var cursor = RoomListCursor.start
        if let text = request.query("cursor") {
            guard let given = RoomListCursor(text: text) else { throw .badRequest("cursor is none of this service's") }
            cursor = given
        }
        let rooms = try await access.store { [cursor] (store) async throws(StoreError) in
            try await store.rooms(of: user.userID, after: cursor, limit: limit + 1)
        }
        let page = rooms.prefix(limit)
        return .json(
            EventJSON.success { out in
                out.key("rooms")
                out.array(page) { out, summary in out.object { $0.summary(summary) } }
                if rooms.count > page.count, let last = page.last {
                    out.member("cursor", last.cursor.text)
                }
            })
    }

    func read(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        .json(EventJSON.room(try await access.visibleInfo(request.roomID, by: try request.caller())))
    }

    func revise(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let id = request.roomID
        let revision = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> RoomRevision in
            var revision = RoomRevision()
            if fields.data?["name"] != nil { revision.name = .some(try fields.roomName()) }
            if fields.data?["private"] != nil { revision.isPrivate = try fields.bool("private") }
            guard revision != RoomRevision() else { throw .badRequest("name or private is missing") }
            return revision
        }
        let caller = try request.caller()
        var info = try await access.infoForOwner(id, by: caller)
        guard revision.isPrivate == nil || info.room.kind == .group else {
            throw .badRequest("a direct room is private as it is")
        }
        let now = services.clock.now.wall
        let isStored = try await access.store { (store) async throws(StoreError) in
            try await store.revise(id, revision, at: now)
        }
        guard isStored else { throw .roomUnavailable }
        access.log("room changed", id, by: caller)
        await services.announce(id, .revised(revision, at: now))
        info.room.revise(revision, at: now)
        return .json(EventJSON.room(info))
    }

    func delete(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (id, caller) = (request.roomID, try request.caller())
        _ = try await access.infoForOwner(id, by: caller)
        let now = services.clock.now.wall
        let isStored = try await access.store { (store) async throws(StoreError) in try await store.delete(id, at: now)
        }
        guard isStored else { throw .roomUnavailable }
        access.log("room deleted", id, by: caller)
        services.cache?.drop(id)
        await services.announce(id, .deleted)
        return .json(EventJSON.success())
    }
}

extension CommandFields {
    /// A room's name in the body of a request.
    func roomName() throws(ChatError) -> String? {
        try optionalText("name", maximumCharacters: RoomRoutes.maximumNameCharacters)
    }
}
