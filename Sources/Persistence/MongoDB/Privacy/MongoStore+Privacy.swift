public import ChatDomain

/// Erasing and exporting. Every call is a few commands that each find and change a bounded number of documents.
extension MongoStore {
    public func eraseRecords(of user: ErasedUser) async throws(StoreError) -> ErasureSlice {
        try await run { connection throws(MongoError) in
            ErasureSlice(rooms: try connection.eraseRecords(of: user), next: nil)
        }
    }

    public func directRooms(
        of user: UserID, after cursor: RoomID?, limit: Int
    ) async throws(StoreError) -> [RoomID] {
        try await run { connection throws(MongoError) in
            try connection.directRooms(of: user, after: cursor, limit: limit)
        }
    }

    public func moveDirectRoom(_ room: RoomID, of user: ErasedUser) async throws(StoreError) -> ErasureSlice {
        guard let new = user.neutralRoom(of: room) else { return ErasureSlice(next: nil) }
        return try await run { connection throws(MongoError) in
            try connection.moveDirectRoom(room, to: new, of: user)
        }
    }

    public func eraseMessages(of user: ErasedUser, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        try await run { connection throws(MongoError) in try connection.eraseMessages(of: user, after: cursor) }
    }

    public func eraseMessages(of room: RoomID, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        try await run { connection throws(MongoError) in try connection.eraseMessages(of: room) }
    }

    public func eraseExpiredMessages(
        _ rule: RetentionRule, at now: Timestamp, after cursor: String?
    ) async throws(StoreError) -> ErasureSlice {
        try await run { connection throws(MongoError) in
            try connection.eraseExpiredMessages(rule, at: now, after: cursor)
        }
    }

    /// The server reuses free space by itself; to overwrite it is the operator's affair.
    public func purgeErased() async throws(StoreError) {}

    // MARK: Exporting

    public func rooms(knowing user: UserID, after cursor: RoomID?, limit: Int) async throws(StoreError) -> [RoomID] {
        let form = BSONValue.any(of: user)
        let found = try await run { connection throws(MongoError) in
            try connection.find(
                MongoSchema.rooms,
                ["$or": [["participants": form], ["owner": form]], "state": MongoSchema.RoomState.live],
                ["projection": ["roomId": 1]])
        }
        let rooms = Set(found.compactMap { $0["roomId"]?.identifier.map { RoomID(unchecked: $0) } })
        return Array(rooms.sorted().drop { room in cursor.map { room <= $0 } ?? false }.prefix(max(0, limit)))
    }

    public func standings(
        of user: UserID, after cursor: RoomID?, limit: Int
    ) async throws(StoreError) -> [UserStanding] {
        guard limit > 0 else { return [] }
        let filter: BSONDocument = ["userId": .string(user), "roomId": ["$gt": .string(cursor?.value ?? "")]]
        return try await run { connection throws(MongoError) in
            try connection.find(
                MongoSchema.standings, filter, ["sort": ["roomId": 1, "kind": 1], "limit": .int64(Int64(limit))]
            ).compactMap { document in
                guard let standing = document.standing, let room = document["roomId"]?.text else { return nil }
                return UserStanding(roomID: RoomID(unchecked: room), standing: standing)
            }
        }
    }

    public func flags(
        by user: UserID, after cursor: MessageID?, limit: Int
    ) async throws(StoreError) -> [UserFlag] {
        guard limit > 0 else { return [] }
        let filter: BSONDocument = [
            "userId": .string(user), "messageId": ["$gt": .objectID(cursor ?? MessageID(high: 0, low: 0))],
        ]
        return try await run { connection throws(MongoError) in
            try connection.find(
                MongoSchema.flags, filter, ["sort": ["messageId": 1], "limit": .int64(Int64(limit))]
            ).compactMap { document in
                guard let flag = document.flag, let room = document["roomId"]?.text else { return nil }
                return UserFlag(roomID: RoomID(unchecked: room), flag: flag)
            }
        }
    }

    public func changes(by user: UserID, after cursor: String?) async throws(StoreError) -> ExportedChanges {
        try await run { connection throws(MongoError) in
            // Changes have ids of this service's, which are object ids.
            let range = try connection.idRange(after: cursor ?? MessageID(high: 0, low: 0).description)
            let found = try connection.find(
                MongoSchema.messages, ["_id": range.filter, "change.userId": .any(of: user)],
                ["sort": ["_id": 1], "limit": .int64(IDRange.size)])
            return ExportedChanges(changes: found.compactMap { $0.change() }, next: connection.place(behind: range))
        }
    }

    public func messages(of user: UserID, after cursor: String?) async throws(StoreError) -> ExportedMessages {
        try await run { connection throws(MongoError) in
            let range = try connection.idRange(after: cursor)
            // Ids of other programs are counted: "old" and how many came before.
            let isOld = range.after == nil
            let skipped = isOld ? cursor.flatMap { Int($0.dropFirst(3)) }.map { min(max($0, 0), 1 << 40) } ?? 0 : 0
            let found = try connection.find(
                MongoSchema.messages, ["_id": range.filter, "userId": .any(of: user)],
                ["sort": ["_id": 1], "skip": .int64(Int64(skipped)), "limit": .int64(IDRange.size)])
            var page = ExportedMessages(messages: [], next: connection.place(behind: range))
            if isOld, found.count >= IDRange.size { page.next = "old\(skipped + found.count)" }
            var budget = PageBudget()
            for (offset, document) in found.enumerated() where document["change"] == nil {
                guard let message = document.message(number: 0) else { continue }
                guard budget.takes(message.encodedBytes) else {
                    page.next = isOld ? "old\(skipped + offset)" : page.messages.last?.id.description ?? page.next
                    break
                }
                page.messages.append(message)
            }
            return page
        }
    }
}
