import ChatDomain

/// Read marks: one document for each user and room.
extension MongoConnection {
    struct MarkPlace: Hashable, Sendable {
        var room: RoomID
        var user: UserID
    }

    private static let marksPerCommand = 1000

    /// Moves read marks of many rooms forward. A mark of a room that does not exist is ignored.
    ///
    /// - Returns: whether each mark moved.
    func advance(_ marks: [(room: RoomID, mark: ReadMark)]) throws(MongoError) -> [Bool] {
        guard !marks.isEmpty else { return [] }
        let live = try liveRooms(Array(Set(marks.map(\.room))))
        var moved = marks.map { _ in false }
        // The marks of one user in a room are sent in separate commands, so that each result says whether that mark moved.
        var remaining = marks.indices.filter { marks[$0].mark.sequence > 0 && live.contains(marks[$0].room) }
        while !remaining.isEmpty {
            var places: Set<MarkPlace> = []
            let batch = remaining.filter {
                places.count < Self.marksPerCommand
                    && places.insert(MarkPlace(room: marks[$0].room, user: marks[$0].mark.userID)).inserted
            }
            let refused = try move(batch.map { marks[$0] })
            // A racing upsert that made the document causes a refusal too, so these marks are tried again.
            let refusedAgain = try move(refused.map { marks[batch[$0]] })
            let unmoved = Set(refusedAgain.map { batch[refused[$0]] })
            for index in batch { moved[index] = !unmoved.contains(index) }
            let done = Set(batch)
            remaining.removeAll { done.contains($0) }
        }
        return moved
    }

    /// - Returns: the indices of the marks that are stored at this place or further already.
    private func move(_ marks: [(room: RoomID, mark: ReadMark)]) throws(MongoError) -> [Int] {
        guard !marks.isEmpty else { return [] }
        let updates = marks.map { room, mark -> BSONDocument in
            let isBehind: BSONDocument = [
                "roomId": .string(room), "userId": .string(mark.userID), "seq": ["$lt": .int64(mark.sequence)],
            ]
            return ["q": .document(isBehind), "u": ["$set": ["seq": .int64(mark.sequence)]], "upsert": true]
        }
        return try indicesOfDuplicates(MongoSchema.readMarks, updates)
    }

    private func liveRooms(_ rooms: [RoomID]) throws(MongoError) -> Set<RoomID> {
        let found = try find(
            MongoSchema.rooms, ["roomId": .any(of: rooms), "state": MongoSchema.RoomState.live],
            ["projection": ["roomId": 1]])
        return Set(found.compactMap { $0["roomId"]?.identifier.map { RoomID(unchecked: $0) } })
    }

    // MARK: Reading

    func readMarks(in room: RoomID, after cursor: UserID?, limit: Int) throws(MongoError) -> [ReadMark] {
        try find(
            MongoSchema.readMarks, ["roomId": .string(room), "userId": ["$gt": .string(cursor?.value ?? "")]],
            ["sort": ["userId": 1], "limit": .int64(Int64(limit))]
        ).compactMap(\.readMark)
    }

    /// The marks of the room's most advanced readers, as many as a `ReadMarkBoard` holds.
    func newestReadMarks(in room: RoomID) throws(MongoError) -> [ReadMark] {
        try find(
            MongoSchema.readMarks, ["roomId": .string(room)],
            ["sort": ["seq": -1, "userId": 1], "limit": .int64(Int64(ReadMarkBoard.capacity))]
        ).compactMap(\.readMark)
    }

    func readMarks(of user: UserID, in rooms: [RoomID]) throws(MongoError) -> [RoomID: SequenceNumber] {
        guard !rooms.isEmpty else { return [:] }
        let found = try find(
            MongoSchema.readMarks, ["userId": .string(user), "roomId": ["$in": .strings(rooms)]])
        var marks: [RoomID: SequenceNumber] = [:]
        for mark in found {
            guard let room = mark["roomId"]?.text else { continue }
            marks[RoomID(unchecked: room)] = MessageNumbers.mark(mark["seq"]?.integer)
        }
        return marks
    }
}

extension BSONDocument {
    fileprivate var readMark: ReadMark? {
        guard let user = self["userId"]?.text else { return nil }
        return ReadMark(userID: UserID(unchecked: user), sequence: MessageNumbers.mark(self["seq"]?.integer))
    }
}
