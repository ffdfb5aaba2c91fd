import ChatDomain

/// Searches over the indexed array `words` of the messages. A text index of MongoDB's own would find no prefixes, and would
/// fold words by its own rules.
extension MongoConnection {
    /// Messages of one query, and queries of one search: then the page ends, full or not.
    private static let messagesPerQuery = 200
    private static let queriesPerSearch = 20
    /// The most rooms that a query names. Past that, messages of all rooms are read, and those of others are passed over.
    private static let namedRooms = 1000

    func search(_ search: MessageSearch) throws(MongoError) -> SearchPage {
        guard var place = SearchPlace(search.cursor) else {
            throw .refused(code: 2, reason: "the search has no such cursor")
        }
        let readable = try readableRooms(of: search)
        var rooms = ReadableRooms(try namedRooms(of: search, readable))
        var found = SearchResults(limit: search.limit)
        for _ in 0..<Self.queriesPerSearch {
            let documents = try find(
                MongoSchema.messages, filter(search, rooms, from: place),
                ["sort": ["timestamp": -1, "_id": -1], "limit": .int64(Int64(Self.messagesPerQuery))])
            try look(for: documents, &rooms, readable)
            for document in documents {
                let last = place
                place = SearchPlace(document) ?? place
                guard let message = document.message(), let base = rooms.base(of: message.roomID),
                    message.sequence > base, search.accepts(message)
                else { continue }
                guard found.take(message) else { return SearchPage(messages: found.messages, cursor: last.cursor) }
            }
            if documents.count < Self.messagesPerQuery { return SearchPage(messages: found.messages, cursor: nil) }
        }
        return SearchPage(messages: found.messages, cursor: place.cursor)
    }

    private func filter(_ search: MessageSearch, _ rooms: ReadableRooms, from place: SearchPlace) -> BSONDocument {
        var conditions: [BSONDocument] = []
        if let named = rooms.named { conditions.append(["roomId": .any(of: named)]) }
        if let author = search.author { conditions.append(["userId": .any(of: author)]) }
        if let kind = search.kind { conditions.append(["messageType": .string(kind)]) }
        for term in search.query.terms {
            for (index, word) in term.words.enumerated() {
                let isPrefix = term.isPrefix && index == term.words.count - 1
                // Words are letters, digits and symbols that mean nothing in a regular expression.
                conditions.append([
                    "words": isPrefix ? ["$regex": .string("^" + word.value)] : .string(word.value)
                ])
            }
        }
        if let before = place.condition { conditions.append(before) }
        return ["$and": .documents(conditions)]
    }

    // MARK: Rooms

    /// The rooms that the reader may read, if they are few enough to be named.
    private func namedRooms(
        of search: MessageSearch, _ readable: BSONDocument
    ) throws(MongoError) -> [RoomID: SequenceNumber]? {
        let documents: [BSONDocument]
        if let room = search.room {
            documents = try find(
                MongoSchema.rooms, ["roomId": .any(of: room), "state": MongoSchema.RoomState.live], Self.roomFields)
        } else {
            var options = Self.roomFields
            options["limit"] = .int64(Int64(Self.namedRooms + 1))
            documents = try find(MongoSchema.rooms, readable, options)
            guard documents.count <= Self.namedRooms else { return nil }
        }
        return Self.bases(documents)
    }

    /// Finds out which of the messages' rooms the reader may read.
    private func look(
        for messages: [BSONDocument], _ rooms: inout ReadableRooms, _ readable: BSONDocument
    ) throws(MongoError) {
        let unknown = rooms.unknown(of: messages.compactMap { $0["roomId"]?.identifier.map { RoomID(unchecked: $0) } })
        guard !unknown.isEmpty else { return }
        let documents = try find(
            MongoSchema.rooms,
            ["$and": .documents([["roomId": .any(of: unknown)], readable])], Self.roomFields)
        rooms.add(Self.bases(documents), of: unknown)
    }

    private static let roomFields: BSONDocument = ["projection": ["roomId": 1, "historyBase": 1]]

    /// Matches rooms that the reader takes part in, and open groups without a ban. A room of an older program has no `private`.
    private func readableRooms(of search: MessageSearch) throws(MongoError) -> BSONDocument {
        let bans = try find(
            MongoSchema.standings,
            [
                "userId": .string(search.reader), "kind": .string(RoomStanding.Kind.ban.rawValue),
                "$or": [["until": nil], ["until": ["$gt": .date(search.time)]]],
            ], ["projection": ["roomId": 1]])
        let banned = bans.compactMap { $0["roomId"]?.identifier.map { RoomID(unchecked: $0) } }
        var open: BSONDocument = ["private": ["$ne": true], "type": ["$ne": .string(Room.Kind.direct.rawValue)]]
        if !banned.isEmpty { open["roomId"] = ["$not": .any(of: banned)] }
        return [
            "state": MongoSchema.RoomState.live,
            "$or": .documents([["participants": .any(of: search.reader)], open]),
        ]
    }

    private static func bases(_ documents: [BSONDocument]) -> [RoomID: SequenceNumber] {
        var bases: [RoomID: SequenceNumber] = [:]
        for document in documents {
            guard let id = document["roomId"]?.identifier else { continue }
            bases[RoomID(unchecked: id)] = MessageNumbers.mark(document["historyBase"]?.integer)
        }
        return bases
    }
}

/// The rooms that a reader may read, as far as a search has to know them.
private struct ReadableRooms {
    /// All of them; nil where they are too many.
    let named: [RoomID]?
    private var bases: [RoomID: SequenceNumber]
    private var unreadable: Set<RoomID> = []

    init(_ bases: [RoomID: SequenceNumber]?) {
        named = bases.map { Array($0.keys) }
        self.bases = bases ?? [:]
    }

    /// Messages of the room at or below this are not reachable; nil where none are.
    func base(of room: RoomID) -> SequenceNumber? { bases[room] }

    func unknown(of rooms: [RoomID]) -> Set<RoomID> {
        named == nil ? Set(rooms.filter { bases[$0] == nil && !unreadable.contains($0) }) : []
    }

    mutating func add(_ found: [RoomID: SequenceNumber], of asked: Set<RoomID>) {
        bases.merge(found) { $1 }
        unreadable.formUnion(asked.subtracting(found.keys))
    }
}

/// A place in the order of results: time, then id, going back.
private struct SearchPlace {
    /// nil at the beginning.
    private var before: (time: Timestamp, id: MessageID)?

    /// nil for a cursor that is none of these.
    init?(_ cursor: SearchCursor?) {
        guard let cursor else { return }
        let parts = cursor.text.split(separator: ".")
        guard parts.count == 2, let time = Int64(parts[0]), let id = MessageID(String(parts[1])) else { return nil }
        before = (Timestamp(milliseconds: time), id)
    }

    init?(_ document: BSONDocument) {
        guard let time = document["timestamp"]?.timestamp, let id = document["_id"]?.objectID else { return nil }
        before = (time, id)
    }

    var cursor: SearchCursor? { before.map { SearchCursor("\($0.time.milliseconds).\($0.id)") } }

    var condition: BSONDocument? {
        before.map { before in
            [
                "$or": [
                    ["timestamp": ["$lt": .date(before.time)]],
                    ["timestamp": .date(before.time), "_id": ["$lt": .objectID(before.id)]],
                ]
            ]
        }
    }
}
