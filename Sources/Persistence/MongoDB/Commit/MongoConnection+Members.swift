import ChatDomain

extension MongoConnection {
    /// Records joiners of rooms that are there, up to the limit; who is recorded already stays so.
    func recordParticipants(_ joined: [(room: RoomID, users: [UserID])], limit: Int) throws(MongoError) {
        let updates = joined.flatMap { room, users in
            users.map { user -> BSONDocument in
                [
                    "q": [
                        "roomId": .any(of: room), "state": MongoSchema.RoomState.live,
                        "participants.\(limit - 1)": ["$exists": false],
                    ],
                    "u": ["$addToSet": ["participants": .string(user)]],
                ]
            }
        }
        for start in stride(from: 0, to: updates.count, by: 1000) {
            let batch = Array(updates[start..<min(start + 1000, updates.count)])
            try update(MongoSchema.rooms, batch)
        }
    }

    /// Moves read marks forward, in order; whether each moved.
    func advance(_ marks: [ReadMark], in room: RoomID) -> [Result<Bool, StoreError>] {
        guard !marks.isEmpty else { return [] }
        do throws(MongoError) {
            guard try documents(of: room).room != nil else { return marks.map { _ in .success(false) } }
        } catch {
            return marks.map { _ in .failure(error.asStoreError) }
        }
        return marks.map { mark in
            do throws(MongoError) {
                return .success(try advance(mark, in: room))
            } catch {
                return .failure(error.asStoreError)
            }
        }
    }

    private func advance(_ mark: ReadMark, in room: RoomID) throws(MongoError) -> Bool {
        guard mark.sequence > 0 else { return false }
        // Where the mark is as far already, the upsert meets it in the unique index and is refused. Somebody else may
        // have made it at the same time, so that deserves a second look, without making one.
        for isUpsert in [true, false] {
            let reply = try write([
                "update": .string(MongoSchema.readMarks),
                "updates": [
                    [
                        "q": [
                            "roomId": .string(room), "userId": .string(mark.userID),
                            "seq": ["$lt": .int64(mark.sequence)],
                        ],
                        "u": ["$set": ["seq": .int64(mark.sequence)]], "upsert": .bool(isUpsert),
                    ]
                ],
            ])
            if reply.affected > 0 { return true }
        }
        return false
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
