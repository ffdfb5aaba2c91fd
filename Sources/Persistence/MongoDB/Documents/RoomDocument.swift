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
            historyBase: MessageNumbers.mark(self["historyBase"]?.integer))
    }

    var participants: Set<UserID> {
        Set((self["participants"]?.array ?? []).compactMap { $0.identifier.map { UserID(unchecked: $0) } })
    }
}

/// The documents of one room: one, as a rule; several where another program wrote its id as a number.
struct RoomDocuments {
    /// The one whose id is a text first.
    private let all: [BSONDocument]

    /// - Parameter all: documents of one room.
    init(_ all: [BSONDocument]) {
        self.all = all.filter { $0["roomId"]?.text != nil } + all.filter { $0["roomId"]?.text == nil }
    }

    /// By room; what names none is left out.
    static func grouped(_ documents: [BSONDocument]) -> [RoomID: Self] {
        let named = documents.filter { $0["roomId"]?.identifier != nil }
        return Dictionary(grouping: named) { RoomID(unchecked: $0["roomId"]?.identifier ?? "") }.mapValues(Self.init)
    }

    private var living: [BSONDocument] { all.filter { $0["state"]?.isNull ?? true } }

    /// What the room is; nil when it is not there.
    var room: Room? { living.lazy.compactMap(\.room).first }

    var participants: Set<UserID> { living.reduce(into: []) { $0.formUnion($1.participants) } }

    var isDeleted: Bool { living.isEmpty && all.contains { $0["state"] == MongoSchema.RoomState.deleted } }

    /// How many messages came before the first number; nil where they were not counted.
    var base: SequenceNumber? { all.lazy.compactMap { MessageNumbers.boundary($0["seqBase"]?.integer) }.first }

    /// The document to change where only one may be; its id as it stands there. nil where there is none.
    var first: (id: BSONValue, state: BSONValue?)? {
        all.first.flatMap { document in document["roomId"].map { ($0, document["state"]) } }
    }
}
