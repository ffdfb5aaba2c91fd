import ChatCore
import ChatProtocol
import ChatDomain
import Crypto
import JSON
import Telemetry
import WireProtocols

/// Rooms over REST.
struct RoomRoutes: Sendable {
    private static let listLimit = 200
    private static let maximumNameCharacters = 128
    private static let maximumInitialParticipants = 1000

    let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    /// A page of the caller's rooms, the most lately active first.
    func list(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let user = try request.requireUser()
        let limit = try request.integer("limit", in: 1...Int64(Self.listLimit)).map(Int.init) ?? Self.listLimit
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
                    out.key("cursor")
                    out.string(last.cursor.text)
                }
            })
    }

    // MARK: Making

    private struct NewRoom {
        var kind: Room.Kind
        var id: RoomID?
        var name: String?
        var isPrivate: Bool
        var participants: [UserID]
    }

    func create(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let draft = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> NewRoom in try Self.draft(fields)
        }
        let creator = request.caller.user?.userID
        guard creator != nil || request.caller.isService else { throw .unauthorized }
        let clock = services.clock()
        if let creator, !request.caller.isService {
            try services.limits.countRoom(of: creator, at: clock.monotonic)
        }
        let now = clock.wall
        let (room, participants) = try Self.room(for: draft, creator: creator, now: now)
        let (snapshot, isNew) = try await access.store { (store) async throws(StoreError) in
            try await store.create(room, participants: participants)
        }
        guard isNew || draft.kind == .direct else { throw ChatError(.conflict, "a room of this id exists already") }
        // Who asked for the room before it was there may be about to learn that it is not.
        if isNew { access.services.applyHere(snapshot.room.id, .unspecified) }
        let info = RoomInfo(
            room: snapshot.room,
            state: RoomState(
                roomID: snapshot.room.id, lastSequence: snapshot.lastSequence, members: snapshot.participants.count,
                online: 0),
            isAdmitted: true, participants: snapshot.participants.sorted())
        return .json(Self.json(info), status: isNew ? 201 : 200)
    }

    private static func draft(_ fields: CommandFields) throws(ChatError) -> NewRoom {
        let kindText = try fields.optionalText("type", maximumCharacters: 16) ?? "group"
        guard let kind = Room.Kind(rawValue: kindText) else { throw .badRequest("type must be direct or group") }
        let isPrivate = fields["private"] == nil ? false : try fields.bool("private")
        var participants: [UserID] = []
        if let list = fields["participants"], !list.elements.isEmpty || list.kind != .array {
            participants = try fields.identifiers("participants", limit: maximumInitialParticipants)
        }
        return NewRoom(
            kind: kind, id: try fields.optionalIdentifier("roomId"), name: try name(fields), isPrivate: isPrivate,
            participants: participants)
    }

    private static func name(_ fields: CommandFields) throws(ChatError) -> String? {
        try fields.optionalText("name", maximumCharacters: maximumNameCharacters)
    }

    private static func room(
        for draft: NewRoom, creator: UserID?, now: Timestamp
    ) throws(ChatError) -> (Room, [UserID]) {
        switch draft.kind {
        case .direct: try direct(draft, creator: creator, now: now)
        case .group: try group(draft, creator: creator, now: now)
        }
    }

    private static func direct(
        _ draft: NewRoom, creator: UserID?, now: Timestamp
    ) throws(ChatError) -> (Room, [UserID]) {
        var pair = Set(draft.participants)
        if let creator { pair.insert(creator) }
        guard pair.count == 2, creator.map(pair.contains) ?? true else {
            throw .badRequest("a direct room has exactly two participants, the caller one of them")
        }
        let users = Array(pair)
        let id = DirectRoom.id(of: users[0], and: users[1])
        guard draft.id == nil || draft.id == id else { throw .badRequest("roomId must be \(id) or left out") }
        return (Room(id: id, kind: .direct, isPrivate: true, name: draft.name, createdAt: now), users)
    }

    private static func group(_ draft: NewRoom, creator: UserID?, now: Timestamp) throws(ChatError) -> (Room, [UserID])
    {
        let id = draft.id ?? RoomID(unchecked: "room-" + SecureRandom.hex(bytes: 12))
        guard !DirectRoom.isDirect(id) else { throw .badRequest("roomId must not begin with \(DirectRoom.prefix)") }
        var participants = draft.participants
        if let creator, !participants.contains(creator) { participants.insert(creator, at: 0) }
        let room = Room(
            id: id, kind: .group, isPrivate: draft.isPrivate, name: draft.name, owner: creator, createdAt: now)
        return (room, participants)
    }

    // MARK: One room

    func read(_ request: RESTRequest, _ id: RoomID) async throws(ChatError) -> HTTPResponse {
        .json(Self.json(try await access.lookAround(id, by: request.caller)))
    }

    func revise(_ request: RESTRequest, _ id: RoomID) async throws(ChatError) -> HTTPResponse {
        let revision = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> RoomRevision in
            var revision = RoomRevision()
            if fields.data?["name"] != nil { revision.name = .some(try Self.name(fields)) }
            if fields.data?["private"] != nil { revision.isPrivate = try fields.bool("private") }
            guard revision != RoomRevision() else { throw .badRequest("name or private is missing") }
            return revision
        }
        var info = try await access.infoForOwner(id, by: request.caller)
        guard revision.isPrivate == nil || info.room.kind == .group else {
            throw .badRequest("a direct room is private as it is")
        }
        let now = services.clock().wall
        let isDone = try await access.store { (store) async throws(StoreError) in
            try await store.revise(id, revision, at: now)
        }
        guard isDone else { throw .roomUnavailable }
        log("room changed", id, by: request.caller)
        await access.services.announce(id, .revised(revision, at: now))
        info.room.revise(revision, at: now)
        return .json(Self.json(info))
    }

    func delete(_ request: RESTRequest, _ id: RoomID) async throws(ChatError) -> HTTPResponse {
        _ = try await access.infoForOwner(id, by: request.caller)
        let now = services.clock().wall
        let isDone = try await access.store { (store) async throws(StoreError) in try await store.delete(id, at: now) }
        guard isDone else { throw .roomUnavailable }
        log("room deleted", id, by: request.caller)
        services.cache?.drop(id)
        await access.services.announce(id, .deleted)
        return .json(EventJSON.success())
    }

    /// How far the room's users have read, in the order of their ids.
    func readMarks(_ request: RESTRequest, _ id: RoomID) async throws(ChatError) -> HTTPResponse {
        let limit = try request.integer("limit", in: 1...Int64(HistoryQuery.limits.upperBound))
        var cursor: UserID?
        if let text = request.query("cursor") { cursor = try UserID(validating: text, field: "cursor") }
        _ = try await access.info(id, by: request.caller)
        let size = limit.map(Int.init) ?? HistoryQuery.defaultLimit
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.readMarks(in: id, after: cursor, limit: size + 1)
        }
        return .json(
            EventJSON.success { out in
                out.readMarks(Array(found.prefix(size)))
                guard found.count > size else { return }
                out.key("cursor")
                out.string(found[size - 1].userID.value)
            })
    }

    // MARK: Participants

    func admit(_ request: RESTRequest, _ user: UserID, to id: RoomID) async throws(ChatError) -> HTTPResponse {
        let info = try await access.infoForOwner(id, by: request.caller)
        guard info.room.kind == .group else { throw .badRequest("a direct room has its two participants") }
        let limit = services.configuration.roomLimits.maximumParticipants
        let isDone = try await access.store { (store) async throws(StoreError) in
            try await store.add(user, to: id, limit: limit)
        }
        guard isDone else { throw ChatError(.conflict, "the room holds \(limit) participants already") }
        log("participant added", id, about: user, by: request.caller)
        await access.services.announce(id, .admitted(user))
        return .json(EventJSON.success())
    }

    /// The owner and the service may remove anybody; anybody may go.
    func expel(_ request: RESTRequest, _ user: UserID, from id: RoomID) async throws(ChatError) -> HTTPResponse {
        let info =
            request.caller.user?.userID == user
            ? try await access.info(id, by: request.caller) : try await access.infoForOwner(id, by: request.caller)
        guard info.room.kind == .group else { throw .badRequest("a direct room has its two participants") }
        let isDone = try await access.store { (store) async throws(StoreError) in try await store.remove(user, from: id)
        }
        guard isDone else { throw ChatError(.notFound, "this user takes no part in the room") }
        log("participant removed", id, about: user, by: request.caller)
        await access.services.announce(id, .expelled(user))
        return .json(EventJSON.success())
    }

    private func log(_ act: String, _ room: RoomID, about user: UserID? = nil, by caller: Caller) {
        services.logger.notice(act, ["room": room.value, "user": user?.value, "by": caller.logName])
    }

    private static func json(_ info: RoomInfo) -> [UInt8] {
        EventJSON.success { out in
            out.key("room")
            out.object { out in
                out.room(info.room)
                out.key("lastSeq")
                out.integer(info.state.lastSequence)
                out.key("members")
                out.integer(info.state.members)
                out.key("online")
                out.integer(info.state.online)
                out.participants(info.participants)
            }
        }
    }
}

extension JSONWriter {
    /// The members of a room as the store knows it.
    mutating func room(_ room: Room) {
        key("roomId")
        string(room.id.value)
        key("type")
        string(room.kind.rawValue)
        key("private")
        bool(room.isPrivate)
        key("name")
        if let name = room.name { string(name) } else { null() }
        key("owner")
        if let owner = room.owner { string(owner.value) } else { null() }
        key("createdAt")
        integer(room.createdAt.milliseconds)
        key("updatedAt")
        integer(room.updatedAt.milliseconds)
    }

    mutating func participants(_ participants: [UserID]?) {
        guard let participants else { return }
        key("participants")
        array(participants) { $0.string($1.value) }
    }

    /// The members of a room in one user's list.
    mutating func summary(_ summary: RoomSummary) {
        room(summary.snapshot.room)
        key("lastSeq")
        integer(summary.snapshot.lastSequence)
        key("members")
        integer(summary.snapshot.participants.count)
        let participants = summary.snapshot.participants
        self.participants(
            participants.count <= RoomInfo.participantLimit ? participants.sorted() : nil)
        key("lastMessage")
        if let message = summary.lastMessage {
            object { out in
                out.key("content")
                out.string(message.body.text)
                out.key("timestamp")
                out.integer(message.timestamp.milliseconds)
                out.key("senderId")
                out.string(message.body.author.value)
                out.key("username")
                out.string(message.body.username)
                out.key("seq")
                out.integer(message.sequence)
            }
        } else {
            null()
        }
        key("unread")
        integer(summary.unread)
        key("lastReadSeq")
        integer(summary.lastReadSequence)
    }
}
