import ChatDomain

extension MongoConnection {
    /// A room's newest message.
    struct Newest {
        var sequence: SequenceNumber
        var timestamp: Timestamp?
    }

    /// The newest message of each room that has any.
    ///
    /// - Parameter isMajority: whether only what can no longer be rolled back counts. Numbering looks at everything:
    ///   what is numbered behind a message goes with it, should that be rolled back.
    func newest(of rooms: [RoomID], isMajority: Bool = true) throws(MongoError) -> [RoomID: Newest] {
        guard !rooms.isEmpty else { return [:] }
        var newest = try isMajority ? newestByGroup(rooms) : newestByRoom(rooms)
        guard holdsUnnumbered else { return newest }
        for (room, base) in try unnumberedBases(of: rooms, numbered: newest) where base > 0 {
            if newest[room].map({ $0.sequence < base }) ?? true { newest[room] = Newest(sequence: base) }
        }
        return newest
    }

    private func newestByGroup(_ rooms: [RoomID]) throws(MongoError) -> [RoomID: Newest] {
        let found = try aggregate(
            MongoSchema.messages,
            [
                ["$match": ["roomId": ["$in": .strings(rooms)], "seq": ["$type": "number", "$gt": 0]]],
                ["$sort": ["roomId": -1, "seq": -1]],
                ["$group": ["_id": "$roomId", "seq": ["$first": "$seq"], "timestamp": ["$first": "$timestamp"]]],
            ])
        var newest: [RoomID: Newest] = [:]
        for group in found {
            guard let room = group["_id"]?.identifier, let sequence = group["seq"]?.integer else { continue }
            newest[RoomID(unchecked: room)] = Newest(sequence: sequence, timestamp: group["timestamp"]?.timestamp)
        }
        return newest
    }

    private func newestByRoom(_ rooms: [RoomID]) throws(MongoError) -> [RoomID: Newest] {
        var newest: [RoomID: Newest] = [:]
        for room in rooms {
            let found = try find(
                MongoSchema.messages, ["roomId": .string(room), "seq": .document(MongoSchema.isNumber)],
                [
                    "sort": ["seq": -1], "limit": 1, "projection": ["seq": 1, "timestamp": 1],
                    "readConcern": ["level": "local"],
                ])
            guard let message = found.first, let sequence = message["seq"]?.integer else { continue }
            newest[room] = Newest(sequence: sequence, timestamp: message["timestamp"]?.timestamp)
        }
        return newest
    }

    // MARK: Messages from before there were numbers

    /// How many unnumbered messages each room had when its numbering began: they are 1…n, whether written down yet or not.
    private func unnumberedBases(
        of rooms: [RoomID], numbered: [RoomID: Newest]
    ) throws(MongoError) -> [RoomID: SequenceNumber] {
        var bases: [RoomID: SequenceNumber] = [:]
        let known = try find(
            MongoSchema.rooms, ["roomId": ["$in": .strings(rooms)], "seqBase": .document(MongoSchema.isNumber)],
            ["projection": ["roomId": 1, "seqBase": 1]])
        for document in known {
            guard let room = document["roomId"]?.identifier else { continue }
            bases[RoomID(unchecked: room)] = document["seqBase"]?.integer
        }
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
        if count == 0 { return try base(of: room) ?? 0 }
        let claim: BSONDocument = [
            "q": ["roomId": .string(room), "seqBase": nil],
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
        try find(MongoSchema.rooms, ["roomId": .string(room)], ["limit": 1, "projection": ["seqBase": 1]])
            .first?["seqBase"]?.integer
    }

    private func countUnnumbered(of room: RoomID) throws(MongoError) -> SequenceNumber {
        let counted = try aggregate(
            MongoSchema.messages,
            [
                ["$match": ["roomId": .string(room), "seq": MongoSchema.isUnnumbered]],
                ["$group": ["_id": nil, "count": ["$sum": 1]]],
            ])
        return counted.first?["count"]?.integer ?? 0
    }
}
