public import ChatDomain

extension MongoStore {
    /// Writes numbers into messages that an older program left without numbers, from the oldest on. The service may run
    /// meanwhile. A migration that was stopped continues where it ended.
    ///
    /// - Parameter progress: called from time to time with the count of messages numbered so far.
    /// - Returns: how many messages got a number.
    public func migrate(progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws(StoreError) -> Int {
        try await run { connection throws(MongoError) in try connection.numberAll(progress) }
    }
}

/// Numbers for messages of an older program, which stored none. `MongoConnection.newest` says how the messages are served
/// until their numbers are written.
extension MongoConnection {
    /// Messages of one update. A slow server has to answer it within the driver's limit.
    private static let slice: Int64 = 200
    /// The id of the note that every message has a number, in whatever form its room's id is stored.
    private static let completionNote = "numbering of all"
    /// The most slices in a row that write nothing because others took their numbers.
    private static let maximumStalls = 100

    /// Whether the collection may hold messages without numbers. To search a collection that holds none takes long, so the
    /// result is stored.
    func findsUnnumbered() throws(MongoError) -> Bool {
        if try isNotedComplete() { return false }
        if try nextUnnumbered() != nil { return true }
        try noteComplete()
        return false
    }

    /// Like `findsUnnumbered`, but stores nothing.
    func holdsUnnumberedMessages() throws(MongoError) -> Bool {
        if try isNotedComplete() { return false }
        return try nextUnnumbered() != nil
    }

    private func isNotedComplete() throws(MongoError) -> Bool {
        try find(MongoSchema.notes, ["_id": .string(Self.completionNote)], ["limit": 1]).first?["isComplete"]?.bool
            == true
    }

    /// Numbers the unnumbered messages of all rooms.
    ///
    /// - Returns: how many there were.
    fileprivate func numberAll(_ progress: (Int) -> Void) throws(MongoError) -> Int {
        // From now on this instance also serves messages without numbers.
        holdsUnnumbered = true
        var count = 0
        while let room = try nextUnnumbered() {
            let isNumbered = try newestWritten(of: room) != nil
            let base = try claimBase(of: room, isNumbered: isNumbered)
            var stalls = 0
            while let written = try numberSlice(of: room, base: base) {
                count += written
                stalls = written == 0 ? stalls + 1 : 0
                guard stalls < Self.maximumStalls else { throw .unknown(reason: "room \(room) cannot be numbered") }
                progress(count)
            }
        }
        try noteComplete()
        holdsUnnumbered = false
        return count
    }

    /// Numbers the room's oldest unnumbered messages. The updates are ordered and stop at the first refusal, so that the
    /// numbers have no holes.
    ///
    /// - Returns: how many were numbered; nil when none are left.
    private func numberSlice(of room: RoomID, base: SequenceNumber) throws(MongoError) -> Int? {
        // The messages counted when numbering began have the first numbers; those added later follow the newest number.
        let written = try newestWritten(of: room, upTo: base) ?? 0
        let newest = written < base ? written : try newestWritten(of: room) ?? base
        let limit = written < base ? min(Self.slice, base - written) : Self.slice
        let unnumbered = try find(
            MongoSchema.messages, ["roomId": .any(of: room), "seq": MongoSchema.isUnnumbered],
            ["sort": ["timestamp": 1, "_id": 1], "limit": .int64(limit), "projection": ["_id": 1]])
        guard !unnumbered.isEmpty else { return nil }
        let updates = unnumbered.enumerated().compactMap { offset, document -> BSONDocument? in
            guard let id = document["_id"] else { return nil }
            let number = newest + 1 + SequenceNumber(offset)
            // The room's id becomes a text, so that the unique index covers all numbers of the room.
            let numbered: BSONValue = ["seq": .int64(number), "roomId": .string(room)]
            return ["q": ["_id": id, "seq": MongoSchema.isUnnumbered], "u": ["$set": numbered]]
        }
        // A number that a sender or another migration took meanwhile ends the slice early; the next slice reads again.
        return try update(MongoSchema.messages, updates, isOrdered: true)
    }

    private func newestWritten(
        of room: RoomID, upTo limit: SequenceNumber = MessageNumbers.valid.upperBound
    ) throws(MongoError) -> SequenceNumber? {
        try find(
            MongoSchema.messages,
            ["roomId": .any(of: room), "seq": ["$gte": 1, "$lte": .int64(limit)]],
            ["sort": ["seq": -1], "limit": 1, "projection": ["seq": 1], "readConcern": ["level": "local"]]
        ).first?["seq"]?.integer
    }

    /// A room that has messages without numbers. Documents without a usable room id are skipped.
    private func nextUnnumbered() throws(MongoError) -> RoomID? {
        var skipped: [BSONValue] = []
        while true {
            let found = try find(
                MongoSchema.messages,
                [
                    "seq": MongoSchema.isUnnumbered,
                    "roomId": ["$type": ["string", "number", "objectId"], "$nin": .array(skipped)],
                ],
                ["limit": 1, "projection": ["roomId": 1]]
            ).first
            guard let value = found?["roomId"] else { return nil }
            if let text = value.identifier { return RoomID(unchecked: text) }
            skipped.append(value)
        }
    }

    private func noteComplete() throws(MongoError) {
        try update(
            MongoSchema.notes,
            [["q": ["_id": .string(Self.completionNote)], "u": ["$set": ["isComplete": true]], "upsert": true]])
    }
}
