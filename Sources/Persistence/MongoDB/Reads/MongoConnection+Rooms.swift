import ChatDomain

extension MongoConnection {
    func liveRoom(_ id: RoomID) throws(MongoError) -> BSONDocument? {
        try find(MongoSchema.rooms, Self.live(id), ["limit": 1]).first
    }

    func room(_ id: RoomID) throws(MongoError) -> RoomSnapshot? {
        let known = try find(MongoSchema.rooms, ["roomId": .string(id)], ["limit": 1]).first
        if let room = try recordedRoom(id, known) { return room }
        guard try hasOldMessages(id, known) else { return nil }
        return try create(Room(old: id), participants: Room.oldParticipants(of: id)).snapshot
    }

    private func recordedRoom(_ id: RoomID, _ document: BSONDocument?) throws(MongoError) -> RoomSnapshot? {
        guard let document, document["state"]?.isNull ?? true, let room = document.room else { return nil }
        return snapshot(of: room, document, newest: try newest(of: [id])[id]?.sequence)
    }

    /// Whether an older program left messages for a room it never wrote down.
    private func hasOldMessages(_ id: RoomID, _ known: BSONDocument?) throws(MongoError) -> Bool {
        guard known?["state"] != MongoSchema.RoomState.deleted else { return false }
        if let base = known?["seqBase"]?.integer { return base > 0 }
        guard holdsUnnumbered else { return false }
        let isNumbered = try newestNumbered(in: id, isMajority: false) != nil
        return try claimBase(of: id, isNumbered: isNumbered) > 0
    }

    func participants(of rooms: [RoomID]) throws(MongoError) -> [RoomID: Set<UserID>] {
        guard !rooms.isEmpty else { return [:] }
        let found = try find(
            MongoSchema.rooms, ["roomId": ["$in": .strings(rooms)], "state": MongoSchema.RoomState.live],
            ["projection": ["roomId": 1, "participants": 1]])
        var participants: [RoomID: Set<UserID>] = [:]
        for document in found {
            guard let id = document["roomId"]?.identifier else { continue }
            participants[RoomID(unchecked: id)] = document.participants
        }
        return participants
    }

    func create(_ room: Room, participants: [UserID]) throws(MongoError) -> (snapshot: RoomSnapshot, created: Bool) {
        // Whoever loses a race here finds the winner's room at the next look.
        for _ in 0..<10 {
            if let there = try recordedRoom(room.id, liveRoom(room.id)) { return (there, false) }
            var isMade = try revive(room, participants)
            if !isMade { isMade = try insert(room, participants) }
            if isMade, let made = try recordedRoom(room.id, liveRoom(room.id)) { return (made, true) }
        }
        throw .unknown(reason: "the room comes and goes too fast to make it")
    }

    func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) throws(MongoError) -> Bool {
        var changes: BSONDocument = ["updatedAt": .date(time)]
        if let name = revision.name { changes["name"] = name.map { .string($0) } ?? .null }
        if let isPrivate = revision.isPrivate { changes["private"] = .bool(isPrivate) }
        return try update(MongoSchema.rooms, [["q": .document(Self.live(id)), "u": ["$set": .document(changes)]]]) > 0
    }

    func delete(_ id: RoomID, at time: Timestamp) throws(MongoError) -> Bool {
        let changes: BSONDocument = [
            "state": MongoSchema.RoomState.deleted, "participants": [], "updatedAt": .date(time),
        ]
        let deleted = try update(
            MongoSchema.rooms,
            [
                [
                    "q": .document(Self.live(id)),
                    "u": ["$set": .document(changes), "$unset": ["lastMessage": "", "lastSeq": ""]],
                ]
            ])
        guard deleted > 0 else { return false }
        try delete(MongoSchema.readMarks, [["roomId": .string(id)]])
        return true
    }

    func add(_ user: UserID, to id: RoomID, limit: Int) throws(MongoError) -> Bool {
        guard limit > 0 else { return false }
        var filter = Self.live(id)
        filter["$or"] = [
            ["participants": .string(user)], ["participants.\(limit - 1)": ["$exists": false]],
        ]
        return try update(
            MongoSchema.rooms,
            [["q": .document(filter), "u": ["$addToSet": ["participants": .string(user)]]]]) > 0
    }

    func remove(_ user: UserID, from id: RoomID) throws(MongoError) -> Bool {
        var filter = Self.live(id)
        filter["participants"] = .string(user)
        return try update(
            MongoSchema.rooms, [["q": .document(filter), "u": ["$pull": ["participants": .string(user)]]]]) > 0
    }

    func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) throws(MongoError) -> [RoomSummary] {
        let documents = try find(
            MongoSchema.rooms, ["participants": .string(user), "state": MongoSchema.RoomState.live])
        let ids = documents.compactMap { $0.room?.id }
        let newest = try newest(of: ids)
        let listed = documents.compactMap { document -> ListedRoom? in
            document.room.map { ListedRoom(room: $0, document: document, newest: newest[$0.id]) }
        }
        .filter { cursor.precedes($0.cursor) }
        .sorted { $0.cursor.precedes($1.cursor) }
        .prefix(max(0, limit))
        let last = try messages(at: Dictionary(uniqueKeysWithValues: listed.compactMap(\.reachableMessage)))
        let marks = try readMarks(of: user, in: listed.map(\.room.id))
        return listed.map { listed in
            RoomSummary(
                snapshot: snapshot(of: listed.room, listed.document, newest: listed.newest?.sequence),
                lastMessage: last[listed.room.id], lastReadSequence: marks[listed.room.id] ?? 0)
        }
    }

    func readMarks(of user: UserID, in rooms: [RoomID]) throws(MongoError) -> [RoomID: SequenceNumber] {
        guard !rooms.isEmpty else { return [:] }
        let found = try find(
            MongoSchema.readMarks, ["userId": .string(user), "roomId": ["$in": .strings(rooms)]])
        var marks: [RoomID: SequenceNumber] = [:]
        for mark in found {
            guard let room = mark["roomId"]?.text else { continue }
            marks[RoomID(unchecked: room)] = mark["seq"]?.integer
        }
        return marks
    }

    // MARK: Parts

    private struct ListedRoom {
        var room: Room
        var document: BSONDocument
        var newest: Newest?

        var cursor: RoomListCursor {
            var activity = room.updatedAt
            if let newest, newest.sequence > room.historyBase, let sent = newest.timestamp {
                activity = max(activity, sent)
            }
            return RoomListCursor(activity: activity, room: room.id)
        }

        var reachableMessage: (RoomID, SequenceNumber)? {
            guard let newest, newest.sequence > room.historyBase else { return nil }
            return (room.id, newest.sequence)
        }
    }

    private static func live(_ id: RoomID) -> BSONDocument {
        ["roomId": .string(id), "state": MongoSchema.RoomState.live]
    }

    private func snapshot(of room: Room, _ document: BSONDocument, newest: SequenceNumber?) -> RoomSnapshot {
        RoomSnapshot(
            room: room, participants: document.participants, lastSequence: max(newest ?? 0, room.historyBase))
    }

    /// Makes a room of an id that was used before; false when there is none, or it is there already.
    private func revive(_ room: Room, _ participants: [UserID]) throws(MongoError) -> Bool {
        let known = try find(MongoSchema.rooms, ["roomId": .string(room.id)], ["limit": 1]).first
        guard let state = known?["state"], !state.isNull else { return false }
        var room = room
        let isDeleted = state == MongoSchema.RoomState.deleted
        room.historyBase = isDeleted ? try newest(of: [room.id], isMajority: false)[room.id]?.sequence ?? 0 : 0
        let contents = BSONDocument.contents(of: room, participants: participants)
        return try update(
            MongoSchema.rooms,
            [["q": ["roomId": .string(room.id), "state": state], "u": ["$set": .document(contents)]]]
        ) > 0
    }

    /// False when somebody else made it meanwhile.
    private func insert(_ room: Room, _ participants: [UserID]) throws(MongoError) -> Bool {
        var room = room
        room.historyBase = 0
        let reply = try write([
            "insert": .string(MongoSchema.rooms),
            "documents": .documents([BSONDocument(room, participants: participants)]),
        ])
        guard let error = reply["writeErrors"]?.array?.first?.document else { return true }
        let code = Int(error["code"]?.integer ?? 0)
        if code == MongoError.duplicateKey { return false }
        throw MongoError(code: code, reason: "MongoDB \(code): \(error["errmsg"]?.text ?? "")")
    }
}

extension Room {
    /// A room of an older program that only its messages speak of: open, or its two participants' own.
    fileprivate init(old id: RoomID) {
        let isDirect = DirectRoom.participants(of: id) != nil
        self.init(
            id: id, kind: isDirect ? .direct : .group, isPrivate: isDirect, createdAt: Timestamp(milliseconds: 0))
    }

    fileprivate static func oldParticipants(of id: RoomID) -> [UserID] {
        DirectRoom.participants(of: id).map { [$0.0, $0.1] } ?? []
    }
}
