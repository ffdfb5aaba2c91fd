import ChatDomain

extension BSONDocument {
    /// The document of a new room.
    init(_ room: Room, participants: [UserID]) {
        self = ["roomId": .string(room.id)]
        for field in BSONDocument.contents(of: room, participants: participants).fields {
            self[field.name] = field.value
        }
    }

    /// The fields of a new room, except its id.
    static func contents(of room: Room, participants: [UserID]) -> BSONDocument {
        var seen: Set<UserID> = []
        let participants = participants.filter { seen.insert($0).inserted }
        return [
            "type": .string(room.kind.rawValue), "private": .bool(room.isPrivate),
            "name": room.name.map { .string($0) } ?? .null, "owner": room.owner.map { .string($0) } ?? .null,
            "participants": .strings(participants), "createdAt": .date(room.createdAt),
            "updatedAt": .date(room.updatedAt), "readOnly": .bool(room.isReadOnly),
            "slowModeSeconds": .int64(Int64(room.slowModeSeconds)),
            "retentionDays": room.retentionDays.map { .int64(Int64($0)) } ?? .null,
            "historyBase": .int64(room.historyBase), "state": nil,
        ]
    }

    /// Reads a room leniently, because an older program may have written it.
    var room: Room? {
        guard let id = self["roomId"]?.identifier else { return nil }
        let kind = Room.Kind(rawValue: self["type"]?.text ?? "") ?? .group
        let createdAt = self["createdAt"]?.timestamp ?? Timestamp(milliseconds: 0)
        return Room(
            id: RoomID(unchecked: id), kind: kind, isPrivate: self["private"]?.bool ?? (kind == .direct),
            name: self["name"]?.text, owner: self["owner"]?.identifier.map { UserID(unchecked: $0) },
            createdAt: createdAt, updatedAt: self["updatedAt"]?.timestamp ?? createdAt,
            isReadOnly: self["readOnly"]?.bool ?? false,
            slowModeSeconds: RoomRevision.slowMode(self["slowModeSeconds"]?.integer),
            retentionDays: RoomRevision.retention(self["retentionDays"]?.integer),
            historyBase: MessageNumbers.mark(self["historyBase"]?.integer))
    }

    var participants: Set<UserID> {
        Set((self["participants"]?.array ?? []).compactMap { $0.identifier.map { UserID(unchecked: $0) } })
    }
}

/// The documents of one room: usually one; several if another program stored the room's id as a number.
struct RoomDocuments {
    /// Documents whose id is a text come first.
    private let all: [BSONDocument]

    /// - Parameter all: documents of one room.
    init(_ all: [BSONDocument]) {
        self.all = all.filter { $0["roomId"]?.text != nil } + all.filter { $0["roomId"]?.text == nil }
    }

    /// The documents by room. Those without a usable room id are left out.
    static func grouped(_ documents: [BSONDocument]) -> [RoomID: Self] {
        let named = documents.filter { $0["roomId"]?.identifier != nil }
        return Dictionary(grouping: named) { RoomID(unchecked: $0["roomId"]?.identifier ?? "") }.mapValues(Self.init)
    }

    private var live: [BSONDocument] { all.filter { $0["state"]?.isNull ?? true } }

    /// Nil when the room does not exist.
    var room: Room? { live.lazy.compactMap(\.room).first }

    var participants: Set<UserID> { live.reduce(into: []) { $0.formUnion($1.participants) } }

    var isDeleted: Bool { live.isEmpty && all.contains { $0["state"] == MongoSchema.RoomState.deleted } }

    /// How many messages came before the first number; nil if they were not counted.
    var base: SequenceNumber? { all.lazy.compactMap { MessageNumbers.boundary($0["seqBase"]?.integer) }.first }

    /// The id, in its stored form, and the state of the document that is changed when only one may be; nil if there is none.
    var first: (id: BSONValue, state: BSONValue?)? {
        all.first.flatMap { document in document["roomId"].map { ($0, document["state"]) } }
    }
}

extension RoomSnapshot {
    /// - Parameter newest: the number of the newest message stored under the room's id, if any.
    init(_ room: Room, _ documents: RoomDocuments, newest: SequenceNumber?) {
        self.init(room: room, participants: documents.participants, lastSequence: max(newest ?? 0, room.historyBase))
    }
}
