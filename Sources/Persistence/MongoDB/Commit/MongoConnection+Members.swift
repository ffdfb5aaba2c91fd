import ChatDomain

extension MongoConnection {
    /// Records joiners of rooms that are there, up to the limit; who is recorded already stays so.
    ///
    /// - Returns: nil when everybody is recorded, else whom each of the rooms has; rooms that are not there are absent.
    func recordParticipants(
        _ joined: [(room: RoomID, users: [UserID])], limit: Int
    ) throws(MongoError) -> [RoomID: RoomPeople]? {
        let updates = joined.flatMap { room, users in
            users.map { user -> BSONDocument in
                [
                    "q": [
                        "roomId": .any(of: room), "state": MongoSchema.RoomState.live,
                        "$or": [
                            ["participants": .any(of: user)], ["participants.\(limit - 1)": ["$exists": false]],
                        ],
                    ],
                    "u": ["$addToSet": ["participants": .string(user)]],
                ]
            }
        }
        var matched = 0
        for start in stride(from: 0, to: updates.count, by: 1000) {
            let batch = Array(updates[start..<min(start + 1000, updates.count)])
            matched += try update(MongoSchema.rooms, batch)
        }
        return matched == updates.count ? nil : try people(of: joined.map(\.room))
    }

    /// Sends updates; duplicate keys of racing upserts mean that it is done.
    ///
    /// - Returns: how many documents the updates matched or made.
    @discardableResult
    func update(_ collection: String, _ updates: [BSONDocument], isOrdered: Bool = false) throws(MongoError) -> Int {
        let reply = try write([
            "update": .string(collection), "ordered": .bool(isOrdered), "updates": .documents(updates),
        ])
        for error in reply["writeErrors"]?.array ?? [] {
            let code = error.document?.errorCode ?? 0
            guard code != MongoError.duplicateKey else { continue }
            throw MongoError(code: code, reason: "MongoDB \(code): \(error.document?["errmsg"]?.text ?? "")")
        }
        return reply.affected
    }

    @discardableResult
    func delete(_ collection: String, _ filters: [BSONDocument]) throws(MongoError) -> Int {
        let reply = try write([
            "delete": .string(collection),
            "deletes": .documents(filters.map { ["q": .document($0), "limit": 0] }),
        ])
        return reply.affected
    }
}
