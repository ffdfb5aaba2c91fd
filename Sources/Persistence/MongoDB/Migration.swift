import ChatDomain

/// Numbers for messages of an older program, which knew none. See `MongoConnection.newest` for how they are served
/// until they are written down.
extension MongoConnection {
    private static let slice: Int64 = 500
    /// Under this id it is noted that no message is without a number, whatever the form of its room's id.
    private static let note = "numbering of all"
    /// Slices in a row that wrote nothing because all their numbers had just been taken.
    private static let maximumStalls = 100

    /// Whether the collection may hold messages without numbers. Looking through a collection that holds none takes
    /// long, so that is noted.
    func findsUnnumbered() throws(MongoError) -> Bool {
        let note = try find(MongoSchema.notes, ["_id": .string(Self.note)], ["limit": 1]).first
        if note?["isComplete"]?.bool == true { return false }
        if try nextUnnumbered() != nil { return true }
        try noteComplete()
        return false
    }

    /// Numbers every room's unnumbered messages; how many there were.
    func numberAll(_ progress: (Int) -> Void) throws(MongoError) -> Int {
        // From here on this instance serves what has no number yet.
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

    /// Numbers the room's oldest unnumbered messages; how many, nil when there are none left.
    ///
    /// Updates go in order and stop at the first refusal, so what is written is always the beginning.
    private func numberSlice(of room: RoomID, base: SequenceNumber) throws(MongoError) -> Int? {
        // Those counted when numbering began come first; whatever an older program added later is new.
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
            // With the room's id as text, so that the unique index sees all numbers of the room.
            let numbered: BSONValue = ["seq": .int64(number), "roomId": .string(room)]
            return ["q": ["_id": id, "seq": MongoSchema.isUnnumbered], "u": ["$set": numbered]]
        }
        // A number taken meanwhile, by a sender or by another migration, ends the slice early; the next one looks again.
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

    /// A room with messages without numbers. What names no room stays as it is.
    private func nextUnnumbered() throws(MongoError) -> RoomID? {
        var passedOver: [BSONValue] = []
        while true {
            let found = try find(
                MongoSchema.messages,
                [
                    "seq": MongoSchema.isUnnumbered,
                    "roomId": ["$type": ["string", "number", "objectId"], "$nin": .array(passedOver)],
                ],
                ["limit": 1, "projection": ["roomId": 1]]
            ).first
            guard let value = found?["roomId"] else { return nil }
            if let text = value.identifier { return RoomID(unchecked: text) }
            passedOver.append(value)
        }
    }

    private func noteComplete() throws(MongoError) {
        try update(
            MongoSchema.notes,
            [["q": ["_id": .string(Self.note)], "u": ["$set": ["isComplete": true]], "upsert": true]])
    }
}
