import ChatDomain

extension MongoConnection {
    func pendingEvents(
        of owner: InstanceID, limit: Int, except: Set<MessageID>
    ) throws(MongoError) -> [Message] {
        guard limit > 0 else { return [] }
        var filter: BSONDocument = ["eventOwner": ["$type": "string", "$eq": .string(owner.value)]]
        if !except.isEmpty { filter["_id"] = ["$nin": .array(except.map { .objectID($0) })] }
        return try find(
            MongoSchema.messages, filter,
            ["sort": ["timestamp": 1, "_id": 1], "limit": .int64(Int64(limit))]
        ).compactMap { $0.message() }
    }

    func clearEvents(_ ids: [MessageID]) throws(MongoError) {
        guard !ids.isEmpty else { return }
        try update(
            MongoSchema.messages,
            [
                [
                    "q": ["_id": ["$in": .array(ids.map { .objectID($0) })]], "u": ["$unset": ["eventOwner": ""]],
                    "multi": true,
                ]
            ])
    }

    func adoptEvents(of dead: InstanceID, by owner: InstanceID) throws(MongoError) -> Int {
        try update(
            MongoSchema.messages,
            [
                [
                    "q": ["eventOwner": ["$type": "string", "$eq": .string(dead.value)]],
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
        return (Int(found?["count"]?.integer ?? 0), found?["oldest"]?.timestamp)
    }
}
