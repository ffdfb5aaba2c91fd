import ChatDomain

extension BSONDocument {
    /// A room as it is inserted.
    init(_ room: Room, participants: [UserID]) {
        self = ["roomId": .string(room.id)]
        for field in BSONDocument.contents(of: room, participants: participants).fields {
            self[field.name] = field.value
        }
    }

    /// What making a room writes, beside its id.
    static func contents(of room: Room, participants: [UserID]) -> BSONDocument {
        var seen: Set<UserID> = []
        let participants = participants.filter { seen.insert($0).inserted }
        return [
            "type": .string(room.kind.rawValue), "private": .bool(room.isPrivate),
            "name": room.name.map { .string($0) } ?? .null, "owner": room.owner.map { .string($0) } ?? .null,
            "participants": .strings(participants), "createdAt": .date(room.createdAt),
            "updatedAt": .date(room.updatedAt), "historyBase": .int64(room.historyBase), "state": nil,
        ]
    }

    /// Reads a room, leniently: an older program may have written it.
    var room: Room? {
        guard let id = self["roomId"]?.identifier else { return nil }
        let kind = Room.Kind(rawValue: self["type"]?.text ?? "") ?? .group
        let createdAt = self["createdAt"]?.timestamp ?? Timestamp(milliseconds: 0)
        return Room(
            id: RoomID(unchecked: id), kind: kind, isPrivate: self["private"]?.bool ?? (kind == .direct),
            name: self["name"]?.text, owner: self["owner"]?.identifier.map { UserID(unchecked: $0) },
            createdAt: createdAt, updatedAt: self["updatedAt"]?.timestamp ?? createdAt,
            historyBase: self["historyBase"]?.integer ?? 0)
    }

    var participants: Set<UserID> {
        Set((self["participants"]?.array ?? []).compactMap { $0.identifier.map { UserID(unchecked: $0) } })
    }
}
