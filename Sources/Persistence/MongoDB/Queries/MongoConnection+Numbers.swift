import ChatDomain

extension MongoConnection {
    /// The newest entry of a room's log: a message or a change.
    struct Newest {
        var sequence: SequenceNumber
        var timestamp: Timestamp?
        var isMessage = true
    }

    /// The newest entry of each room that has any.
    ///
    /// Each room costs one step in the index, however many messages it has.
    ///
    /// - Parameter isMajority: whether only messages count that can no longer be rolled back. Numbering counts all messages,
    ///   because a message that is numbered behind another is rolled back together with it.
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

    /// The newest entry among those with the number `first` or higher.
    func newestNumbered(
        in room: RoomID, from first: SequenceNumber = MessageNumbers.valid.lowerBound, isMajority: Bool
    ) throws(MongoError) -> Newest? {
        var options: BSONDocument = [
            "sort": ["seq": -1], "limit": 1, "projection": ["seq": 1, "timestamp": 1, "change.kind": 1],
        ]
        if !isMajority { options["readConcern"] = ["level": "local"] }
        // A number outside the valid range is an error in the data and is ignored.
        let numbers: BSONValue = ["$gte": .int64(first), "$lte": .int64(MessageNumbers.valid.upperBound)]
        let found = try find(MongoSchema.messages, ["roomId": .any(of: room), "seq": numbers], options)
        guard let message = found.first, let sequence = message["seq"]?.integer else { return nil }
        return Newest(
            sequence: sequence, timestamp: message["timestamp"]?.timestamp, isMessage: !message.isChange)
    }

    // MARK: Messages from before there were numbers

    /// How many unnumbered messages each room had when its numbering began. They have the numbers 1…n, stored or not.
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

    /// Stores how many messages came before the first number. The first caller decides; later ones get its count.
    ///
    /// - Parameter isNumbered: whether the room has numbered messages already, so that unnumbered ones came later.
    func claimBase(of room: RoomID, isNumbered: Bool) throws(MongoError) -> SequenceNumber {
        let count = isNumbered ? 0 : try countUnnumbered(of: room)
        // A room without unnumbered messages needs no document.
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
        // A duplicate key means that another caller was first.
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
