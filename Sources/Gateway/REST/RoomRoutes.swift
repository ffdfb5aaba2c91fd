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
        let caller = try request.caller()
        return .json(EventJSON.room(try await access.visibleInfo(request.roomID, by: caller), for: caller.user?.userID))
    }

    func revise(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let id = request.roomID
        let revision = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> RoomRevision in
            try fields.roomRevision()
        }
        let caller = try request.caller()
        var info = try await access.infoForOwner(id, by: caller)
        try await check(revision, of: info)
        let now = services.clock.now.wall
        let isStored = try await access.change(id, isMade: \.self) { (store) async throws(StoreError) in
            try await store.revise(id, revision, at: now)
        }
        guard isStored else { throw .roomUnavailable }
        access.log("room changed", id, by: caller)
        await services.announce(id, .revised(revision, at: now))
        info.room.revise(revision, at: now)
        return .json(EventJSON.room(info, for: caller.user?.userID))
    }

    private func check(_ revision: RoomRevision, of info: RoomInfo) async throws(ChatError) {
        guard info.room.kind == .group || !revision.isForGroups else {
            throw .badRequest("a direct room has its two participants and no other rules")
        }
        guard let owner = revision.owner, owner != info.room.owner else { return }
        let id = info.room.id
        let people = try await access.store { (store) async throws(StoreError) in try await store.people(of: [id])[id] }
        if let refusal = info.authority.refusalOfOwner(
            owner, in: info.room, isParticipant: people?.participants.contains(owner) == true)
        {
            throw refusal
        }
    }

    func delete(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (id, caller) = (request.roomID, try request.caller())
        _ = try await access.infoForOwner(id, by: caller)
        let now = services.clock.now.wall
        let isStored = try await access.change(id, isMade: \.self) { (store) async throws(StoreError) in
            try await store.delete(id, at: now)
        }
        guard isStored else { throw .roomUnavailable }
        access.log("room deleted", id, by: caller)
        await services.audit.record(try request.act(.roomDelete))
        services.cache?.drop(id)
        await services.announce(id, .deleted)
        return .json(EventJSON.success())
    }
}

extension RoomRevision {
    /// Whether it says what direct rooms do not have.
    fileprivate var isForGroups: Bool {
        isPrivate != nil || isReadOnly != nil || slowModeSeconds != nil || owner != nil
    }
}

extension CommandFields {
    /// - Throws: `bad_request` where nothing is to be changed too.
    fileprivate func roomRevision() throws(ChatError) -> RoomRevision {
        var revision = RoomRevision()
        if data?["name"] != nil { revision.name = .some(try roomName()) }
        if data?["private"] != nil { revision.isPrivate = try bool("private") }
        if data?["readOnly"] != nil { revision.isReadOnly = try bool("readOnly") }
        if data?["slowModeSeconds"] != nil {
            revision.slowModeSeconds = Int(try integer("slowModeSeconds", in: RoomRevision.slowModes))
        }
        if data?["owner"] != nil { revision.owner = try identifier("owner") }
        if data?["retentionDays"] != nil {
            let days = try optionalInteger("retentionDays", in: RoomRevision.retentions)
            revision.retentionDays = .some(days.map { Int($0) })
        }
        guard revision != RoomRevision() else {
            throw .badRequest("give name, private, readOnly, slowModeSeconds, owner or retentionDays")
        }
        return revision
    }

    /// A room's name in the body of a request.
    func roomName() throws(ChatError) -> String? {
        try optionalText("name", maximumCharacters: RoomRoutes.maximumNameCharacters)
    }
}
