import ChatDomain

/// How far users have read: one document a user and room.
extension MongoConnection {
    struct MarkPlace: Hashable, Sendable {
        var room: RoomID
        var user: UserID
    }

    private static let marksPerCommand = 1000

    /// Moves many rooms' read marks forward; by index, whether each moved. Rooms that are not there have none.
    func advance(_ marks: [(room: RoomID, mark: ReadMark)]) throws(MongoError) -> [Bool] {
        guard !marks.isEmpty else { return [] }
        let live = try liveRooms(Array(Set(marks.map(\.room))))
        var moved = marks.map { _ in false }
        // Marks of one user go one after the other, so that each says whether it moved.
        var open = marks.indices.filter { marks[$0].mark.sequence > 0 && live.contains(marks[$0].room) }
        while !open.isEmpty {
            var places: Set<MarkPlace> = []
            let batch = open.filter {
                places.count < Self.marksPerCommand
                    && places.insert(MarkPlace(room: marks[$0].room, user: marks[$0].mark.userID)).inserted
            }
            let refused = try move(batch.map { marks[$0] })
            // Somebody else may have made the document at the same time: that deserves a second look.
            let stillRefused = try move(refused.map { marks[batch[$0]] })
            let behind = Set(stillRefused.map { batch[refused[$0]] })
            for index in batch { moved[index] = !behind.contains(index) }
            let done = Set(batch)
            open.removeAll { done.contains($0) }
        }
        return moved
    }

    /// Where a mark is as far already, the upsert meets it in the unique index and is refused; the indices of those.
    private func move(_ marks: [(room: RoomID, mark: ReadMark)]) throws(MongoError) -> [Int] {
        guard !marks.isEmpty else { return [] }
        let updates = marks.map { room, mark -> BSONDocument in
            [
                "q": [
                    "roomId": .string(room), "userId": .string(mark.userID), "seq": ["$lt": .int64(mark.sequence)],
                ],
                "u": ["$set": ["seq": .int64(mark.sequence)]], "upsert": true,
            ]
        }
        let reply = try write([
            "update": .string(MongoSchema.readMarks), "ordered": false, "updates": .documents(updates),
        ])
        var refused: [Int] = []
        for error in reply["writeErrors"]?.array ?? [] {
            guard let error = error.document, let index = error["index"]?.integer.flatMap({ Int(exactly: $0) }),
                marks.indices.contains(index)
            else { continue }
            let code = Int(exactly: error["code"]?.integer ?? 0) ?? 0
            guard code == MongoError.duplicateKey else {
                throw MongoError(code: code, reason: "MongoDB \(code): \(error["errmsg"]?.text ?? "")")
            }
            refused.append(index)
        }
        return refused
    }

    private func liveRooms(_ rooms: [RoomID]) throws(MongoError) -> Set<RoomID> {
        let found = try find(
            MongoSchema.rooms, ["roomId": .any(of: rooms), "state": MongoSchema.RoomState.live],
            ["projection": ["roomId": 1]])
        return Set(found.compactMap { $0["roomId"]?.identifier.map { RoomID(unchecked: $0) } })
    }
}

extension WriteBehind where Key == MongoConnection.MarkPlace, Value == SequenceNumber {
    /// Moves authors' read marks behind their messages: in the same step it would cost every message another round.
    static func authorsMarks(_ workers: MongoWorkers) -> Self {
        Self(workers: workers, pacing: Pacing(interval: .milliseconds(100), restPerWork: 3, slice: 200), isNewer: >) {
            connection, marks throws(MongoError) in
            _ = try connection.advance(
                marks.map { ($0.key.room, ReadMark(userID: $0.key.user, sequence: $0.value)) })
        }
    }
}
