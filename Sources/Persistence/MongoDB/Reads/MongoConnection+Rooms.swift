import ChatDomain

extension MongoConnection {
    /// What is written down about a room, whether it is there or was.
    func documents(of room: RoomID, _ options: BSONDocument = [:]) throws(MongoError) -> RoomDocuments {
        RoomDocuments(try find(MongoSchema.rooms, ["roomId": .any(of: room)], options))
    }

    func room(_ id: RoomID) throws(MongoError) -> RoomSnapshot? {
        let known = try documents(of: id)
        if let room = try recordedRoom(id, known) { return room }
        guard try hasOldMessages(id, known) else { return nil }
        return try create(Room(old: id), participants: Room.oldParticipants(of: id)).snapshot
    }

    private func recordedRoom(_ id: RoomID, _ documents: RoomDocuments) throws(MongoError) -> RoomSnapshot? {
        guard let room = documents.room else { return nil }
        var snapshot = try snapshot(of: room, documents)
        snapshot.readMarks = try newestReadMarks(in: id)
        return snapshot
    }

    /// Whether an older program left messages for a room it never wrote down.
    private func hasOldMessages(_ id: RoomID, _ known: RoomDocuments) throws(MongoError) -> Bool {
        guard !known.isDeleted else { return false }
        if let base = known.base { return base > 0 }
        guard holdsUnnumbered else { return false }
        let isNumbered = try newestNumbered(in: id, isMajority: false) != nil
        return try claimBase(of: id, isNumbered: isNumbered) > 0
    }

    func people(of rooms: [RoomID]) throws(MongoError) -> [RoomID: RoomPeople] {
        guard !rooms.isEmpty else { return [:] }
        let found = try find(
            MongoSchema.rooms, ["roomId": .any(of: rooms), "state": MongoSchema.RoomState.live],
            ["projection": ["roomId": 1, "participants": 1, "historyBase": 1]])
        return RoomDocuments.grouped(found).mapValues { documents in
            RoomPeople(participants: documents.participants, historyBase: documents.room?.historyBase ?? 0)
        }
    }

    func create(_ room: Room, participants: [UserID]) throws(MongoError) -> (snapshot: RoomSnapshot, created: Bool) {
        // Whoever loses a race here finds the winner's room at the next look.
        for _ in 0..<10 {
            let known = try documents(of: room.id)
            if let there = try recordedRoom(room.id, known) { return (there, false) }
            var isMade = try revive(room, known, participants)
            if !isMade { isMade = try insert(room, participants) }
            let made = isMade ? try documents(of: room.id) : nil
            if let made, let snapshot = try recordedRoom(room.id, made) { return (snapshot, true) }
        }
        throw .unknown(reason: "the room comes and goes too fast to make it")
    }

    func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) throws(MongoError) -> Bool {
        var changes: BSONDocument = ["updatedAt": .date(time)]
        if let name = revision.name { changes["name"] = name.map { .string($0) } ?? .null }
        if let isPrivate = revision.isPrivate { changes["private"] = .bool(isPrivate) }
        return try change(id, ["$set": .document(changes)])
    }

    func delete(_ id: RoomID, at time: Timestamp) throws(MongoError) -> Bool {
        let changes: BSONDocument = [
            "state": MongoSchema.RoomState.deleted, "participants": [], "updatedAt": .date(time),
        ]
        let unset: BSONValue = ["lastMessage": "", "lastSeq": ""]
        guard try change(id, ["$set": .document(changes), "$unset": unset]) else { return false }
        try delete(MongoSchema.readMarks, [["roomId": .string(id)]])
        return true
    }

    func add(_ user: UserID, to id: RoomID, limit: Int) throws(MongoError) -> Bool {
        guard limit > 0 else { return false }
        let mayHold: BSONDocument = [
            "$or": [["participants": .any(of: user)], ["participants.\(limit - 1)": ["$exists": false]]]
        ]
        return try change(id, where: mayHold, ["$addToSet": ["participants": .string(user)]])
    }

    func remove(_ user: UserID, from id: RoomID) throws(MongoError) -> Bool {
        try change(
            id, where: ["participants": .any(of: user)], ["$pull": ["participants": .any(of: user)]])
    }

    func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) throws(MongoError) -> [RoomSummary] {
        let rooms = try liveRooms(of: user)
        let newest = try newest(of: Array(rooms.keys))
        let listed = rooms.compactMap { id, documents -> ListedRoom? in
            documents.room.map { ListedRoom(room: $0, documents: documents, newest: newest[id]) }
        }
        .filter { cursor.precedes($0.cursor) }
        .sorted { $0.cursor.precedes($1.cursor) }
        .prefix(max(0, limit))
        let last = try messages(at: Dictionary(listed.compactMap(\.reachableMessage)) { first, _ in first })
        let marks = try readMarks(of: user, in: listed.map(\.room.id))
        return listed.map { listed in
            let lastMessage = last[listed.room.id]
            // Sending is reading, also while the mark is still on its way behind the message.
            let own = lastMessage?.body.author == user ? lastMessage?.sequence ?? 0 : 0
            return RoomSummary(
                snapshot: snapshot(of: listed.room, listed.documents, newest: listed.newest?.sequence),
                lastMessage: lastMessage, lastReadSequence: max(own, marks[listed.room.id] ?? 0))
        }
    }

    /// The rooms a user takes part in, each with all its documents: the user may be in one of them only.
    private func liveRooms(of user: UserID) throws(MongoError) -> [RoomID: RoomDocuments] {
        let found = try find(
            MongoSchema.rooms, ["participants": .any(of: user), "state": MongoSchema.RoomState.live])
        var rooms = RoomDocuments.grouped(found)
        let ambiguous = rooms.keys.filter { BSONValue.forms(of: $0).count > 1 }
        guard !ambiguous.isEmpty else { return rooms }
        let all = try find(
            MongoSchema.rooms, ["roomId": .any(of: ambiguous), "state": MongoSchema.RoomState.live])
        rooms.merge(RoomDocuments.grouped(all)) { $1 }
        return rooms
    }

    func readMarks(of user: UserID, in rooms: [RoomID]) throws(MongoError) -> [RoomID: SequenceNumber] {
        guard !rooms.isEmpty else { return [:] }
        let found = try find(
            MongoSchema.readMarks, ["userId": .string(user), "roomId": ["$in": .strings(rooms)]])
        var marks: [RoomID: SequenceNumber] = [:]
        for mark in found {
            guard let room = mark["roomId"]?.text else { continue }
            marks[RoomID(unchecked: room)] = MessageNumbers.mark(mark["seq"]?.integer)
        }
        return marks
    }

    // MARK: Parts

    private struct ListedRoom {
        var room: Room
        var documents: RoomDocuments
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

    /// Changes a room that is there, in all its documents; whether there was one to change.
    ///
    /// - Parameter filter: what a document has to match beside.
    private func change(
        _ id: RoomID, where filter: BSONDocument = [:], _ changes: BSONDocument
    ) throws(MongoError) -> Bool {
        var query: BSONDocument = ["roomId": .any(of: id), "state": MongoSchema.RoomState.live]
        query.fields += filter.fields
        let isAmbiguous = BSONValue.forms(of: id).count > 1
        return try update(
            MongoSchema.rooms,
            [["q": .document(query), "u": .document(changes), "multi": .bool(isAmbiguous)]]) > 0
    }

    private func snapshot(of room: Room, _ documents: RoomDocuments) throws(MongoError) -> RoomSnapshot {
        snapshot(of: room, documents, newest: try newest(of: [room.id])[room.id]?.sequence)
    }

    private func snapshot(of room: Room, _ documents: RoomDocuments, newest: SequenceNumber?) -> RoomSnapshot {
        RoomSnapshot(
            room: room, participants: documents.participants, lastSequence: max(newest ?? 0, room.historyBase))
    }

    /// Makes a room of an id that was used before; false when there is none, or it is there already.
    private func revive(
        _ room: Room, _ known: RoomDocuments, _ participants: [UserID]
    ) throws(MongoError) -> Bool {
        guard let (id, state) = known.first, let state, !state.isNull else { return false }
        var room = room
        let isDeleted = known.isDeleted
        room.historyBase = isDeleted ? try newest(of: [room.id], isMajority: false)[room.id]?.sequence ?? 0 : 0
        let contents = BSONDocument.contents(of: room, participants: participants)
        return try update(
            MongoSchema.rooms, [["q": ["roomId": id, "state": state], "u": ["$set": .document(contents)]]]
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
        let code = error.errorCode
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
