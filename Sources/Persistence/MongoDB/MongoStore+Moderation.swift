public import ChatDomain

extension MongoStore {
    // MARK: Standings in rooms

    public func set(_ standing: RoomStanding, in room: RoomID) async throws(StoreError) -> RecordOutcome {
        try await run { connection throws(MongoError) in
            guard try connection.documents(of: room).room != nil else { return .noRoom }
            return try connection.set(standing, in: room)
        }
    }

    public func clear(
        _ kind: RoomStanding.Kind, of user: UserID, in room: RoomID
    ) async throws(StoreError) -> Bool {
        try await run { connection throws(MongoError) in
            try connection.delete(MongoSchema.standings, [.standing(kind, of: user, in: room)]) > 0
        }
    }

    public func standings(
        _ kind: RoomStanding.Kind, in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [RoomStanding] {
        guard limit > 0 else { return [] }
        return try await run { connection throws(MongoError) in
            try connection.find(
                MongoSchema.standings,
                [
                    "roomId": .string(room), "kind": .string(kind.rawValue),
                    "userId": ["$gt": .string(cursor?.value ?? "")],
                ], ["sort": ["userId": 1], "limit": .int64(Int64(limit))]
            ).compactMap(\.standing)
        }
    }

    // MARK: Blocks between users

    public func block(_ other: UserBlock, by user: UserID) async throws(StoreError) -> RecordOutcome {
        let block: BSONDocument = ["userId": .string(user), "blockedId": .string(other.user)]
        return try await run { connection throws(MongoError) in
            if try connection.find(MongoSchema.blocks, block, ["limit": 1]).first != nil { return .recorded }
            guard try connection.count(MongoSchema.blocks, ["userId": .string(user)]) < UserBlock.limit else {
                return .full
            }
            try connection.upsert(
                MongoSchema.blocks,
                [["q": .document(block), "u": ["$set": ["since": .date(other.since)]], "upsert": true]])
            return .recorded
        }
    }

    public func unblock(_ other: UserID, by user: UserID) async throws(StoreError) -> Bool {
        try await run { connection throws(MongoError) in
            try connection.delete(MongoSchema.blocks, [["userId": .string(user), "blockedId": .string(other)]]) > 0
        }
    }

    public func blocks(by user: UserID, after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBlock] {
        guard limit > 0 else { return [] }
        return try await run { connection throws(MongoError) in
            try connection.find(
                MongoSchema.blocks,
                ["userId": .string(user), "blockedId": ["$gt": .string(cursor?.value ?? "")]],
                ["sort": ["blockedId": 1], "limit": .int64(Int64(limit))]
            ).compactMap { document in
                document["blockedId"]?.text.map { UserBlock(UserID(unchecked: $0), since: document.since) }
            }
        }
    }

    public func blockers(of user: UserID, limit: Int) async throws(StoreError) -> Set<UserID> {
        guard limit > 0 else { return [] }
        return try await run { connection throws(MongoError) in
            let found = try connection.find(
                MongoSchema.blocks, ["blockedId": .string(user)], ["limit": .int64(Int64(limit))])
            return Set(found.compactMap { $0["userId"]?.text.map { UserID(unchecked: $0) } })
        }
    }

    public func isBlocked(_ user: UserID, by other: UserID) async throws(StoreError) -> Bool {
        try await run { connection throws(MongoError) in
            try !connection.find(
                MongoSchema.blocks, ["userId": .string(other), "blockedId": .string(user)], ["limit": 1]
            ).isEmpty
        }
    }

    public func hasBlocks() async throws(StoreError) -> Bool {
        try await run { connection throws(MongoError) in
            try connection.find(MongoSchema.blocks, [:], ["limit": 1]).first != nil
        }
    }

    // MARK: Bans from the deployment

    public func ban(_ ban: UserBan) async throws(StoreError) -> RecordOutcome {
        try await run { connection throws(MongoError) in
            try connection.delete(MongoSchema.userBans, [["until": ["$lte": .date(ban.since)]]])
            let others: BSONDocument = ["_id": ["$ne": .string(ban.user)]]
            guard try connection.count(MongoSchema.userBans, others) < UserBan.limit else { return .full }
            let changes: BSONDocument = [
                "until": .optional(ban.until), "reason": .optional(ban.reason), "since": .date(ban.since),
            ]
            try connection.upsert(
                MongoSchema.userBans,
                [["q": ["_id": .string(ban.user)], "u": ["$set": .document(changes)], "upsert": true]])
            return .recorded
        }
    }

    public func unban(_ user: UserID) async throws(StoreError) -> Bool {
        try await run { connection throws(MongoError) in
            try connection.delete(MongoSchema.userBans, [["_id": .string(user)]]) > 0
        }
    }

    public func ban(of user: UserID) async throws(StoreError) -> UserBan? {
        try await run { connection throws(MongoError) in
            try connection.find(MongoSchema.userBans, ["_id": .string(user)], ["limit": 1]).first?.userBan
        }
    }

    public func bans(after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBan] {
        guard limit > 0 else { return [] }
        return try await run { connection throws(MongoError) in
            try connection.find(
                MongoSchema.userBans, ["_id": ["$gt": .string(cursor?.value ?? "")]],
                ["sort": ["_id": 1], "limit": .int64(Int64(limit))]
            ).compactMap(\.userBan)
        }
    }

    // MARK: Flags of messages

    public func flag(_ flag: MessageFlag, in room: RoomID) async throws(StoreError) -> RecordOutcome {
        let message: BSONDocument = ["roomId": .string(room), "messageId": .objectID(flag.message)]
        var own = message
        own["userId"] = .string(flag.user)
        let update: BSONDocument = [
            "q": .document(own),
            "u": ["$set": ["reason": .optional(flag.reason)], "$setOnInsert": ["since": .date(flag.since)]],
            "upsert": true,
        ]
        return try await run { [own] connection throws(MongoError) in
            guard try connection.documents(of: room).room != nil else { return .noRoom }
            if try connection.find(MongoSchema.flags, own, ["limit": 1]).isEmpty {
                guard try connection.count(MongoSchema.flags, message) < MessageFlag.limit,
                    try connection.count(MongoSchema.flags, ["roomId": .string(room)]) < MessageFlag.roomLimit
                else { return .full }
            }
            try connection.upsert(MongoSchema.flags, [update])
            return .recorded
        }
    }

    public func flags(
        in room: RoomID, after cursor: MessageFlag.Place?, limit: Int
    ) async throws(StoreError) -> [MessageFlag] {
        guard limit > 0 else { return [] }
        var filter: BSONDocument = ["roomId": .string(room)]
        if let cursor {
            filter["$or"] = [
                ["messageId": ["$gt": .objectID(cursor.message)]],
                ["messageId": .objectID(cursor.message), "userId": ["$gt": .string(cursor.user)]],
            ]
        }
        return try await run { [filter] connection throws(MongoError) in
            try connection.find(
                MongoSchema.flags, filter, ["sort": ["messageId": 1, "userId": 1], "limit": .int64(Int64(limit))]
            ).compactMap(\.flag)
        }
    }

    public func settleFlags(of message: MessageID, in room: RoomID) async throws(StoreError) -> Int {
        try await run { connection throws(MongoError) in
            try connection.delete(
                MongoSchema.flags, [["roomId": .string(room), "messageId": .objectID(message)]])
        }
    }

    public func eraseModeration(of user: UserID) async throws(StoreError) {
        try await run { connection throws(MongoError) in
            try connection.delete(MongoSchema.standings, [["userId": .string(user)]])
            try connection.delete(
                MongoSchema.blocks, [["userId": .string(user)], ["blockedId": .string(user)]])
            try connection.delete(MongoSchema.flags, [["userId": .string(user)]])
            try connection.delete(MongoSchema.webhookDeliveries, [["userId": .string(user)]])
            try connection.update(
                MongoSchema.standings,
                [["q": ["by": .string(user)], "u": ["$set": ["by": nil]], "multi": true]])
            try connection.update(
                MongoSchema.audit,
                ["actor", "userId"].map { field in
                    ["q": [field: .string(user)], "u": ["$set": [field: nil]], "multi": true]
                })
        }
    }
}

extension MongoConnection {
    /// The participant goes after the ban is there, so that at no time the user may come back.
    fileprivate func set(_ standing: RoomStanding, in room: RoomID) throws(MongoError) -> RecordOutcome {
        try delete(MongoSchema.standings, [["roomId": .string(room), "until": ["$lte": .date(standing.since)]]])
        let others: BSONDocument = [
            "roomId": .string(room), "kind": .string(standing.kind.rawValue),
            "userId": ["$ne": .string(standing.user)],
        ]
        guard try count(MongoSchema.standings, others) < standing.kind.limit else { return .full }
        let changes: BSONDocument = [
            "until": .optional(standing.until), "reason": .optional(standing.reason),
            "by": standing.author.map { .string($0) } ?? .null, "since": .date(standing.since),
        ]
        let place = BSONDocument.standing(standing.kind, of: standing.user, in: room)
        try upsert(
            MongoSchema.standings,
            [["q": .document(place), "u": ["$set": .document(changes)], "upsert": true]])
        guard standing.kind == .ban else { return .recorded }
        try delete(MongoSchema.standings, [.standing(.moderator, of: standing.user, in: room)])
        try update(
            MongoSchema.rooms,
            [
                [
                    "q": ["roomId": .any(of: room), "participants": .any(of: standing.user)],
                    "u": ["$pull": ["participants": .any(of: standing.user)]],
                    "multi": .bool(BSONValue.isAmbiguous(room)),
                ]
            ])
        return .recorded
    }

    /// How many documents match.
    func count(_ collection: String, _ filter: BSONDocument) throws(MongoError) -> Int {
        let reply = try read(["count": .string(collection), "query": .document(filter)])
        return reply["n"]?.integer.flatMap { Int(exactly: $0) } ?? 0
    }
}

extension BSONValue {
    fileprivate static func optional(_ time: Timestamp?) -> Self { time.map { .date($0) } ?? .null }
    fileprivate static func optional(_ text: String?) -> Self { text.map { .string($0) } ?? .null }
}

extension BSONDocument {
    fileprivate static func standing(_ kind: RoomStanding.Kind, of user: UserID, in room: RoomID) -> Self {
        ["roomId": .string(room), "kind": .string(kind.rawValue), "userId": .string(user)]
    }

    fileprivate var userBan: UserBan? {
        self["_id"]?.text.map { user in
            UserBan(
                UserID(unchecked: user), until: self["until"]?.timestamp, reason: self["reason"]?.text, since: since)
        }
    }

    var flag: MessageFlag? {
        guard let message = self["messageId"]?.objectID, let user = self["userId"]?.text else { return nil }
        return MessageFlag(message, by: UserID(unchecked: user), reason: self["reason"]?.text, since: since)
    }
}
