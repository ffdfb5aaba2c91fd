import ChatDomain

extension MongoConnection {
    /// A room's newest message.
    struct Newest {
        var sequence: SequenceNumber
        var timestamp: Timestamp?
    }

    /// The newest message of each room that has any.
    ///
    /// Each is one step in the index, however many messages its room has.
    ///
    /// - Parameter isMajority: whether only what can no longer be rolled back counts. Numbering looks at everything:
    ///   what is numbered behind a message goes with it, should that be rolled back.
    func newest(of rooms: [RoomID], isMajority: Bool = true) throws(MongoError) -> [RoomID: Newest] {
        guard !rooms.isEmpty else { return [:] }
        var newest: [RoomID: Newest] = [:]
        for room in rooms { newest[room] = try newestNumbered(in: room, isMajority: isMajority) }
        guard holdsUnnumbered else { return newest }
        for (room, base) in try unnumberedBases(of: rooms, numbered: newest) where base > 0 {
            if newest[room].map({ $0.sequence < base }) ?? true { newest[room] = Newest(sequence: base) }
        }
        return newest
    }

    /// The newest message of those numbered `first` and up.
    func newestNumbered(
        in room: RoomID, from first: SequenceNumber = MessageNumbers.valid.lowerBound, isMajority: Bool
    ) throws(MongoError) -> Newest? {
        var options: BSONDocument = ["sort": ["seq": -1], "limit": 1, "projection": ["seq": 1, "timestamp": 1]]
        if !isMajority { options["readConcern"] = ["level": "local"] }
        // A number beyond those that messages can have is a mistake, and nothing is numbered behind it.
        let numbers: BSONValue = ["$gte": .int64(first), "$lte": .int64(MessageNumbers.valid.upperBound)]
        let found = try find(MongoSchema.messages, ["roomId": .any(of: room), "seq": numbers], options)
        guard let message = found.first, let sequence = message["seq"]?.integer else { return nil }
        return Newest(sequence: sequence, timestamp: message["timestamp"]?.timestamp)
    }

    // MARK: Messages from before there were numbers

    /// How many unnumbered messages each room had when its numbering began: they are 1…n, whether written down yet or not.
    private func unnumberedBases(
        of rooms: [RoomID], numbered: [RoomID: Newest]
    ) throws(MongoError) -> [RoomID: SequenceNumber] {
        var bases: [RoomID: SequenceNumber] = [:]
        let known = try find(
            MongoSchema.rooms, ["roomId": .any(of: rooms), "seqBase": .document(MongoSchema.isNumber)],
            ["projection": ["roomId": 1, "seqBase": 1]])
        for (room, documents) in RoomDocuments.grouped(known) { bases[room] = documents.base }
        for room in rooms where bases[room] == nil {
            bases[room] = try claimBase(of: room, isNumbered: numbered[room] != nil)
        }
        return bases
    }

    /// Writes down how many messages came before the first number; once, whoever is first.
    ///
    /// - Parameter isNumbered: numbers were given already, so that unnumbered messages came later.
    func claimBase(of room: RoomID, isNumbered: Bool) throws(MongoError) -> SequenceNumber {
        let count = isNumbered ? 0 : try countUnnumbered(of: room)
        // A room nobody needs a base for is not written down.
        let known = try documents(of: room)
        if count == 0 { return known.base ?? 0 }
        let claim: BSONDocument = [
            "q": ["roomId": known.first?.id ?? .string(room), "seqBase": nil],
            "u": [
                "$set": ["seqBase": .int64(count)],
                "$setOnInsert": ["state": MongoSchema.RoomState.unmade, "participants": []],
            ],
            "upsert": true,
        ]
        // A duplicate key says that somebody else was first.
        _ = try write(["update": .string(MongoSchema.rooms), "updates": .documents([claim])])
        return try base(of: room) ?? count
    }

    func base(of room: RoomID) throws(MongoError) -> SequenceNumber? {
        try documents(of: room, ["projection": ["roomId": 1, "seqBase": 1]]).base
    }

    private func countUnnumbered(of room: RoomID) throws(MongoError) -> SequenceNumber {
        let counted = try aggregate(
            MongoSchema.messages,
            [
                ["$match": ["roomId": .any(of: room), "seq": MongoSchema.isUnnumbered]],
                ["$group": ["_id": nil, "count": ["$sum": 1]]],
            ])
        return counted.first?["count"]?.integer ?? 0
    }
}
