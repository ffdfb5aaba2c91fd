import ChatDomain

extension MongoConnection {
    /// The documents of a room, whether it exists or was deleted.
    func documents(of room: RoomID, _ options: BSONDocument = [:]) throws(MongoError) -> RoomDocuments {
        RoomDocuments(try find(MongoSchema.rooms, ["roomId": .any(of: room)], options))
    }

    func room(_ id: RoomID) throws(MongoError) -> RoomSnapshot? {
        let known = try documents(of: id)
        if let room = try storedRoom(id, known) { return room }
        guard try hasOldMessages(id, known) else { return nil }
        return try create(Room(old: id), participants: Room.oldParticipants(of: id)).snapshot
    }

    private func storedRoom(_ id: RoomID, _ documents: RoomDocuments) throws(MongoError) -> RoomSnapshot? {
        guard let room = documents.room else { return nil }
        // The instance that stored the last changes may have died before it brought their messages up to date.
        try bringUpToDate(id)
        var snapshot = RoomSnapshot(room, documents, newest: try newest(of: [id])[id]?.sequence)
        snapshot.authority = try authority(of: id)
        snapshot.readMarks = try newestReadMarks(in: id)
        return snapshot
    }

    /// Whether an older program left messages of a room that has no document.
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

    private static let attemptsToCreate = 10

    func create(_ room: Room, participants: [UserID]) throws(MongoError) -> (snapshot: RoomSnapshot, created: Bool) {
        // After a lost race the next attempt finds the winner's room.
        for _ in 0..<Self.attemptsToCreate {
            let known = try documents(of: room.id)
            if let existing = try storedRoom(room.id, known) { return (existing, false) }
            var isCreated = try reuse(known, for: room, participants)
            if !isCreated { isCreated = try insert(room, participants) }
            let created = isCreated ? try documents(of: room.id) : nil
            if let created, let snapshot = try storedRoom(room.id, created) { return (snapshot, true) }
        }
        throw .unknown(reason: "the room was made and deleted too often at the same time")
    }

    /// Makes the room from the document of a deleted or unmade room with its id.
    ///
    /// - Returns: false when there is no such document, or the room exists already.
    private func reuse(
        _ known: RoomDocuments, for room: Room, _ participants: [UserID]
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

    /// False when another caller made the room meanwhile.
    private func insert(_ room: Room, _ participants: [UserID]) throws(MongoError) -> Bool {
        var room = room
        room.historyBase = 0
        let reply = try write([
            "insert": .string(MongoSchema.rooms),
            "documents": .documents([BSONDocument(room, participants: participants)]),
        ])
        guard let error = reply.writeErrors.first else { return true }
        if error.errorCode == MongoError.duplicateKey { return false }
        throw MongoError(writeError: error)
    }
}

extension Room {
    /// A room of an older program that has messages but no document: open, or direct if its id names two participants.
    fileprivate init(old id: RoomID) {
        let isDirect = DirectRoom.participants(of: id) != nil
        self.init(
            id: id, kind: isDirect ? .direct : .group, isPrivate: isDirect, createdAt: Timestamp(milliseconds: 0))
    }

    fileprivate static func oldParticipants(of id: RoomID) -> [UserID] {
        DirectRoom.participants(of: id).map { [$0.0, $0.1] } ?? []
    }
}
