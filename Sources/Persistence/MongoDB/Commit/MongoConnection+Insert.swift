import ChatDomain

/// Why an insert did not store one document.
enum InsertObstacle: Hashable {
    case known(RoomAttempt.Obstacle)
    /// The server was interrupted, so the document may be stored or not.
    case unknown(reason: String)

    var known: RoomAttempt.Obstacle? { if case .known(let obstacle) = self { obstacle } else { nil } }
}

extension MongoConnection {
    /// A command may have 16 MiB and 100,000 documents; these limits are well below.
    private static let commandLimits = (bytes: 8 << 20, documents: 1000)

    /// Inserts messages, with the deployment's write concern.
    ///
    /// - Returns: the obstacles of the documents that were not stored, by index. An ordered insert stops at the first.
    func insert(_ documents: [BSONDocument], isOrdered: Bool) throws(MongoError) -> [Int: InsertObstacle] {
        var obstacles: [Int: InsertObstacle] = [:]
        var start = 0
        while start < documents.count {
            let end = Self.commandEnd(documents, from: start)
            let found = try insertCommand(Array(documents[start..<end]), isOrdered: isOrdered, isFirst: start == 0)
            for (index, obstacle) in found { obstacles[start + index] = obstacle }
            if isOrdered, !found.isEmpty { break }
            start = end
        }
        return obstacles
    }

    /// One command. If a later one fails, the outcome of its documents is unknown, and the results of the earlier ones stay.
    private func insertCommand(
        _ documents: [BSONDocument], isOrdered: Bool, isFirst: Bool
    ) throws(MongoError) -> [Int: InsertObstacle] {
        do throws(MongoError) {
            let reply = try write([
                "insert": .string(MongoSchema.messages), "ordered": .bool(isOrdered),
                "documents": .documents(documents),
            ])
            return try Self.obstacles(in: reply, of: documents.count)
        } catch {
            if isFirst { throw error }
            let reason = error.asStoreError.reason
            return Dictionary(documents.indices.map { ($0, .unknown(reason: reason)) }) { first, _ in first }
        }
    }

    private static func commandEnd(_ documents: [BSONDocument], from start: Int) -> Int {
        var bytes = 0
        var end = start
        while end < documents.count, end - start < commandLimits.documents {
            bytes += documents[end].fields.reduce(0) { $0 + $1.name.utf8.count + ($1.value.text?.utf8.count ?? 16) + 8 }
            if bytes > commandLimits.bytes, end > start { break }
            end += 1
        }
        return end
    }

    private static func obstacles(
        in reply: BSONDocument, of count: Int
    ) throws(MongoError) -> [Int: InsertObstacle] {
        var obstacles: [Int: InsertObstacle] = [:]
        for error in reply.writeErrors {
            guard let index = error.index(below: count) else {
                throw .unknown(reason: "an error that names no document of the insert")
            }
            obstacles[index] = obstacle(error)
        }
        return obstacles
    }

    private static func obstacle(_ error: BSONDocument) -> InsertObstacle {
        let code = error.errorCode
        let reason = "MongoDB \(code): \(error["errmsg"]?.text ?? "no reason given")"
        guard code == MongoError.duplicateKey else {
            return MongoError(code: code, reason: reason).isUnknown
                ? .unknown(reason: reason) : .known(.refused(reason: reason))
        }
        let keys = error["keyPattern"]?.document
        if keys?["clientMessageId"] != nil || reason.contains(MongoSchema.clientIDIndex) {
            return .known(.clientIDTaken)
        }
        if keys?["seq"] != nil || reason.contains(MongoSchema.numberIndex) { return .known(.numberTaken) }
        if keys?["_id"] != nil || reason.contains("index: _id_") { return .known(.alreadyStored) }
        return .known(.refused(reason: reason))
    }

    // MARK: Finding the messages that an insert collided with

    /// A query may have 16 MiB; client ids are short.
    private static let repeatsPerQuery = 500

    /// Entries with the client ids of these drafts, by their authors.
    ///
    /// - Parameter options: the read concern; as far as the majority has them without one.
    func entries(
        repeating drafts: [(room: RoomID, draft: RoomDraft)], _ options: BSONDocument = [:]
    ) throws(MongoError) -> [RoomLogEntry] {
        var entries: [RoomLogEntry] = []
        for slice in drafts.filter({ $0.draft.clientMessageID != nil }).slices(of: Self.repeatsPerQuery) {
            // One range of the index for each room. An alternative for each draft would be planned and read one by one.
            let rooms = Dictionary(grouping: slice, by: \.room).map { room, drafts -> BSONDocument in
                let authors = Set(drafts.map(\.draft.author)).map { BSONValue.string($0) }
                let ids = drafts.compactMap(\.draft.clientMessageID).map { BSONValue.string($0) }
                return [
                    "roomId": .string(room), "userId": ["$in": .array(authors)],
                    "clientMessageId": ["$in": .array(ids)],
                ]
            }
            let query: BSONDocument = rooms.count == 1 ? rooms[0] : ["$or": .documents(rooms)]
            let keys = Set(
                slice.map { RepeatKey(room: $0.room, author: $0.draft.author, id: $0.draft.clientMessageID) })
            entries += try self.entries(find(MongoSchema.messages, query, options)).filter { entry in
                keys.contains(RepeatKey(room: entry.roomID, author: entry.author, id: entry.clientMessageID))
            }
        }
        return entries
    }

    /// What an entry is known by to its author.
    private struct RepeatKey: Hashable {
        var room: RoomID
        var author: UserID
        var id: String?
    }

    /// Removes the client ids of those entries that belong to an earlier room with the same id, so that the ids can be used
    /// again.
    ///
    /// - Returns: the other entries, and the rooms in which client ids were freed.
    func freeClientIDs(
        of entries: [RoomLogEntry]
    ) throws(MongoError) -> (current: [RoomLogEntry], rooms: Set<RoomID>) {
        let rooms = Set(entries.map(\.roomID))
        guard !rooms.isEmpty else { return ([], []) }
        var bases: [RoomID: SequenceNumber] = [:]
        for document in try find(
            MongoSchema.rooms, ["roomId": .any(of: Array(rooms)), "historyBase": ["$gt": .int64(0)]],
            ["projection": ["roomId": 1, "historyBase": 1]])
        {
            guard let id = document["roomId"]?.identifier else { continue }
            bases[RoomID(unchecked: id)] = MessageNumbers.mark(document["historyBase"]?.integer)
        }
        let old = entries.filter { $0.sequence <= bases[$0.roomID] ?? 0 }
        guard !old.isEmpty else { return (entries, []) }
        try update(
            MongoSchema.messages,
            old.map { entry in
                [
                    "q": ["roomId": .string(entry.roomID), "seq": .int64(entry.sequence)],
                    "u": ["$unset": ["clientMessageId": ""]],
                ]
            })
        return (entries.filter { $0.sequence > bases[$0.roomID] ?? 0 }, Set(old.map(\.roomID)))
    }

    /// Entries of a room by their ids, as far as the majority has them.
    func entries(of room: RoomID, withIDs ids: [MessageID]) throws(MongoError) -> [RoomLogEntry] {
        try entries(find(MongoSchema.messages, ["roomId": .string(room), "_id": .anyID(of: ids)]))
    }
}
