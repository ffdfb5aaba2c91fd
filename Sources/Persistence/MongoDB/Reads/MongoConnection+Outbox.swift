import ChatDomain

extension MongoConnection {
    func pendingEvents(
        of owner: InstanceID, limit: Int, except: Set<MessageID>
    ) throws(MongoError) -> [Message] {
        guard limit > 0 else { return [] }
        // Those on their way are among the oldest, so reading that many more is enough; and cheaper than to have the
        // server compare each with all of them.
        let pending = try find(
            MongoSchema.messages, ["eventOwner": .string(owner.value)],
            ["sort": ["timestamp": 1, "_id": 1], "limit": .int64(Int64(limit + except.count))]
        ).compactMap { $0.message() }
        return Array(pending.lazy.filter { !except.contains($0.id) }.prefix(limit))
    }

    /// Ids of one update: a server looks for each document among all of them.
    private static let idsPerUpdate = 100

    func clearEvents(_ ids: [MessageID]) throws(MongoError) {
        guard !ids.isEmpty else { return }
        let updates = stride(from: 0, to: ids.count, by: Self.idsPerUpdate).map { start -> BSONDocument in
            let slice = ids[start..<min(start + Self.idsPerUpdate, ids.count)]
            return [
                "q": ["_id": ["$in": .array(slice.map { .objectID($0) })]], "u": ["$unset": ["eventOwner": ""]],
                "multi": true,
            ]
        }
        try update(MongoSchema.messages, updates)
    }

    func adoptEvents(of dead: InstanceID, by owner: InstanceID) throws(MongoError) -> Int {
        try update(
            MongoSchema.messages,
            [
                [
                    "q": ["eventOwner": .string(dead.value)],
                    "u": ["$set": ["eventOwner": .string(owner.value)]], "multi": true,
                ]
            ])
    }

    func eventOwners() throws(MongoError) -> [InstanceID] {
        try aggregate(
            MongoSchema.messages,
            [["$match": ["eventOwner": .document(MongoSchema.isText)]], ["$group": ["_id": "$eventOwner"]]]
        ).compactMap { $0["_id"]?.text.map { InstanceID($0) } }
    }

    func backlog() throws(MongoError) -> (count: Int, oldest: Timestamp?) {
        let found = try aggregate(
            MongoSchema.messages,
            [
                ["$match": ["eventOwner": .document(MongoSchema.isText)]],
                ["$group": ["_id": nil, "count": ["$sum": 1], "oldest": ["$min": "$timestamp"]]],
            ]
        ).first
        return (Int(clamping: found?["count"]?.integer ?? 0), found?["oldest"]?.timestamp)
    }
}
