import ChatCore
import ChatProtocol
import ChatDomain
import Crypto
import JSON
import WireProtocols

/// Making rooms over REST.
struct RoomCreationRoutes: RouteGroup {
    static let maximumParticipants = 1000

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    /// The body of the request, checked field by field.
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
        let caller = try request.caller()
        // nil for a service that acts for no user.
        let creator = caller.user?.userID
        let now = services.clock.now
        if let creator, !caller.isService {
            try services.limits.countRoom(of: creator, at: now.monotonic)
        }
        let (room, participants) = try Self.room(for: draft, creator: creator, now: now.wall)
        try await checkBlock(room.id, by: creator)
        let (snapshot, isNew) = try await access.store { (store) async throws(StoreError) in
            try await store.create(room, participants: participants)
        }
        guard isNew || draft.kind == .direct else { throw ChatError(.conflict, "a room of this id exists already") }
        // A request that came before the room was stored may be about to cache that there is no room.
        if isNew {
            services.applyHere(snapshot.room.id, .unspecified)
            services.observers.roomChanged?(.created(snapshot.room, participants: snapshot.participants.sorted()))
        }
        let info = RoomInfo(
            room: snapshot.room,
            state: RoomState(
                roomID: snapshot.room.id, lastSequence: snapshot.lastSequence, members: snapshot.participants.count,
                online: 0),
            authority: snapshot.authority, participants: snapshot.participants)
        return .json(EventJSON.room(info, for: nil), status: isNew ? 201 : 200)
    }

    /// A direct room that is there already is found also by a user that the other one blocks.
    private func checkBlock(_ room: RoomID, by creator: UserID?) async throws(ChatError) {
        guard let creator, let other = DirectRoom.partner(of: creator, in: room) else { return }
        let isRefused = try await access.store { (store) async throws(StoreError) in
            guard try await store.isBlocked(creator, by: other) else { return false }
            return try await store.room(room) == nil
        }
        if isRefused { throw .roomUnavailable }
    }

    private static func draft(_ fields: CommandFields) throws(ChatError) -> NewRoom {
        let kindText = try fields.optionalText("type", maximumCharacters: 16) ?? "group"
        guard let kind = Room.Kind(rawValue: kindText) else { throw .badRequest("type must be direct or group") }
        let isPrivate = fields["private"] == nil ? false : try fields.bool("private")
        var participants: [UserID] = []
        if let list = fields["participants"], !list.elements.isEmpty || list.kind != .array {
            participants = try fields.identifiers("participants", limit: maximumParticipants)
        }
        return NewRoom(
            kind: kind, id: try fields.optionalIdentifier("roomId"), name: try fields.roomName(), isPrivate: isPrivate,
            participants: participants)
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
}
