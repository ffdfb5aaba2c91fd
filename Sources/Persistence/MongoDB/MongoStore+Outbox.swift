public import ChatDomain

extension MongoStore {
    /// Ids of one update. The server compares each document with all of them.
    private static let idsPerUpdate = 100

    public func pendingEvents(
        of owner: InstanceID, to destination: EventDestination, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [RoomLogEntry] {
        guard limit > 0 else { return [] }
        return try await run { [eventRooms] connection throws(MongoError) in
            // The excepted messages are among the oldest, so it is enough to read that many more. That is cheaper than a
            // filter that compares each message with all of them.
            let pending = try connection.find(
                MongoSchema.messages, [destination.ownerField: .string(owner.value)],
                ["sort": ["timestamp": 1, "_id": 1], "limit": .int64(Int64(limit + except.count))]
            )
            let found = try connection.entries(
                pending.filter { !($0["_id"]?.objectID.map(except.contains) ?? false) }.prefix(limit).map(\.self))
            eventRooms.add(found)
            return found
        }
    }

    public func clearEvents(_ ids: [MessageID], to destination: EventDestination) async throws(StoreError) {
        guard !ids.isEmpty else { return }
        let unset: BSONDocument = [destination.ownerField: ""]
        let updates = ids.slices(of: Self.idsPerUpdate).map { slice -> BSONDocument in
            ["q": .document(eventRooms.filter(slice)), "u": ["$unset": .document(unset)], "multi": true]
        }
        try await run { connection throws(MongoError) in _ = try connection.update(MongoSchema.messages, updates) }
        eventRooms.remove(ids)
    }

    public func adoptEvents(
        of dead: InstanceID, to destination: EventDestination, by owner: InstanceID
    ) async throws(StoreError) -> Int {
        let old: BSONDocument = [destination.ownerField: .string(dead.value)]
        let new: BSONDocument = [destination.ownerField: .string(owner.value)]
        let update: BSONDocument = [
            "q": .document(old), "u": ["$set": .document(new)], "multi": true,
        ]
        return try await run { connection throws(MongoError) in
            try connection.update(MongoSchema.messages, [update])
        }
    }

    public func eventOwners(to destination: EventDestination) async throws(StoreError) -> [InstanceID] {
        try await run { connection throws(MongoError) in
            try connection.aggregate(
                MongoSchema.messages,
                [
                    ["$match": .document(destination.isPending)],
                    ["$group": ["_id": .string("$" + destination.ownerField)]],
                ]
            ).compactMap { $0["_id"]?.text.map { InstanceID($0) } }
        }
    }

    public func backlog(to destination: EventDestination) async throws(StoreError) -> (count: Int, oldest: Timestamp?) {
        try await run { connection throws(MongoError) in
            let found = try connection.aggregate(
                MongoSchema.messages,
                [
                    ["$match": .document(destination.isPending)],
                    ["$group": ["_id": nil, "count": ["$sum": 1], "oldest": ["$min": "$timestamp"]]],
                ]
            ).first
            return (Int(clamping: found?["count"]?.integer ?? 0), found?["oldest"]?.timestamp)
        }
    }
}
