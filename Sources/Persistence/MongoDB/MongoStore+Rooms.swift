public import ChatDomain

extension MongoStore {
    public func room(_ id: RoomID) async throws(StoreError) -> RoomSnapshot? {
        try await run { connection throws(MongoError) in try connection.room(id) }
    }

    public func people(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: RoomPeople] {
        try await run { connection throws(MongoError) in try connection.people(of: rooms) }
    }

    public func create(
        _ room: Room, participants: [UserID]
    ) async throws(StoreError) -> (snapshot: RoomSnapshot, created: Bool) {
        try await run { connection throws(MongoError) in try connection.create(room, participants: participants) }
    }

    public func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) async throws(StoreError) -> Bool {
        var changes: BSONDocument = ["updatedAt": .date(time)]
        if let name = revision.name { changes["name"] = name.map { .string($0) } ?? .null }
        if let isPrivate = revision.isPrivate { changes["private"] = .bool(isPrivate) }
        if let isReadOnly = revision.isReadOnly { changes["readOnly"] = .bool(isReadOnly) }
        if let seconds = revision.slowModeSeconds { changes["slowModeSeconds"] = .int64(Int64(seconds)) }
        if let owner = revision.owner { changes["owner"] = .string(owner) }
        if let days = revision.retentionDays { changes["retentionDays"] = days.map { .int64(Int64($0)) } ?? .null }
        let update: BSONDocument = ["$set": .document(changes)]
        return try await run { connection throws(MongoError) in try connection.change(id, update) }
    }

    public func delete(_ id: RoomID, at time: Timestamp) async throws(StoreError) -> Bool {
        let changes: BSONDocument = [
            "state": MongoSchema.RoomState.deleted, "participants": [], "updatedAt": .date(time),
        ]
        let update: BSONDocument = ["$set": .document(changes), "$unset": ["lastMessage": "", "lastSeq": ""]]
        // Two calls, because the first one would find no room if it were repeated after it took effect.
        guard try await run({ connection throws(MongoError) in try connection.change(id, update) }) else {
            return false
        }
        try await run { connection throws(MongoError) in
            for collection in [MongoSchema.readMarks, MongoSchema.standings, MongoSchema.flags] {
                _ = try connection.delete(collection, [["roomId": .string(id)]])
            }
        }
        return true
    }

    public func add(_ user: UserID, to id: RoomID, limit: Int) async throws(StoreError) -> Bool {
        guard limit > 0 else { return false }
        let filter = MongoSchema.admits(user, limit: limit)
        return try await run { connection throws(MongoError) in
            try connection.change(id, where: filter, ["$addToSet": ["participants": .string(user)]])
        }
    }

    public func remove(_ user: UserID, from id: RoomID) async throws(StoreError) -> Bool {
        let isParticipant: BSONDocument = ["participants": .any(of: user)]
        return try await run { connection throws(MongoError) in
            try connection.change(id, where: isParticipant, ["$pull": ["participants": .any(of: user)]])
        }
    }

    public func readMark(of user: UserID, in room: RoomID) async throws(StoreError) -> SequenceNumber {
        try await run { connection throws(MongoError) in
            try connection.readMarks(of: user, in: [room])[room] ?? 0
        }
    }

    public func readMarks(
        in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [ReadMark] {
        guard limit > 0 else { return [] }
        return try await run { connection throws(MongoError) in
            guard try connection.documents(of: room).room != nil else { return [] }
            return try connection.readMarks(in: room, after: cursor, limit: limit)
        }
    }
}

extension MongoConnection {
    /// Changes an existing room, in all its documents.
    ///
    /// - Parameter filter: further conditions for a document.
    /// - Returns: whether a document matched.
    fileprivate func change(
        _ id: RoomID, where filter: BSONDocument = [:], _ changes: BSONDocument
    ) throws(MongoError) -> Bool {
        var query: BSONDocument = ["roomId": .any(of: id), "state": MongoSchema.RoomState.live]
        query.fields += filter.fields
        return try update(
            MongoSchema.rooms,
            [["q": .document(query), "u": .document(changes), "multi": .bool(BSONValue.isAmbiguous(id))]]) > 0
    }
}
