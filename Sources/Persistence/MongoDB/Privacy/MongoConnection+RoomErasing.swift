import ChatDomain

/// Erasing rooms and expired messages, and moving direct rooms.
extension MongoConnection {
    /// Messages of a room that one call removes or moves.
    private static let messagesAtOnce: Int64 = 500
    /// Messages of a room that expire in one call.
    private static let expiredAtOnce = 200
    private static let roomsAtOnce: Int64 = 50

    // MARK: Rooms

    /// Removes the oldest messages of a room. The newest stays without content, so that the numbering goes on.
    func eraseMessages(of room: RoomID) throws(MongoError) -> ErasureSlice {
        let known = try documents(of: room)
        let isLive = known.room != nil
        // A room that was made anew meanwhile keeps its own messages.
        let last = known.room?.historyBase ?? MessageNumbers.valid.upperBound
        var condition: BSONDocument = ["roomId": .any(of: room)]
        if isLive { condition["seq"] = ["$lte": .int64(last)] }
        let newest = try find(
            MongoSchema.messages, ["roomId": .any(of: room), "seq": ["$gte": 1, "$lte": .int64(last)]],
            ["sort": ["seq": -1], "limit": 1])
        if let id = newest.first?["_id"] { condition["_id"] = ["$ne": id] }
        let found = try find(
            MongoSchema.messages, condition, ["limit": .int64(Self.messagesAtOnce), "projection": ["_id": 1]]
        ).compactMap { $0["_id"] }
        if !found.isEmpty {
            _ = try delete(MongoSchema.messages, [["_id": ["$in": .array(found)]]])
            return ErasureSlice(rooms: [room], messages: found.count, next: "more")
        }
        if let document = newest.first, let id = document["_id"] {
            var stone = document.stone(author: (UserID(unchecked: ""), ""))
            for name in ["changeSeq", "replyCount", "lastReplySeq"] { stone[name] = nil }
            stone["messageType"] = "text"
            try update(MongoSchema.messages, [["q": ["_id": id], "u": .document(stone)]])
        }
        if !isLive {
            _ = try delete(MongoSchema.readMarks, [["roomId": .string(room)]])
            try update(
                MongoSchema.rooms,
                [
                    [
                        "q": ["roomId": .any(of: room), "state": MongoSchema.RoomState.deleted],
                        "u": [
                            "$set": ["participants": []],
                            "$unset": ["name": "", "owner": "", "lastMessage": "", "lastSeq": ""],
                        ], "multi": .bool(BSONValue.isAmbiguous(room)),
                    ]
                ])
        }
        return ErasureSlice(rooms: [room], next: nil)
    }

    // MARK: Direct rooms

    func directRooms(of user: UserID, after cursor: RoomID?, limit: Int) throws(MongoError) -> [RoomID] {
        // As the id of a room with a user without a name: what follows the second colon is the escaped id.
        let escaped = DirectRoom.id(of: UserID(unchecked: ""), and: user).value.dropFirst(DirectRoom.prefix.count + 1)
        let found = try find(
            MongoSchema.rooms,
            [
                "roomId": [
                    "$gt": .string(cursor?.value ?? DirectRoom.prefix), "$lt": "direct;",
                    "$regex": .string(Self.pattern(of: String(escaped))),
                ]
            ], ["sort": ["roomId": 1], "projection": ["roomId": 1]])
        let rooms = found.compactMap { $0["roomId"]?.text.map { RoomID(unchecked: $0) } }.filter { room in
            DirectRoom.participants(of: room).map { $0 == user || $1 == user } ?? false
        }
        return Array(rooms.prefix(max(0, limit)))
    }

    /// Moves some messages of a direct room to its neutral id, and the room itself behind the last of them. Meanwhile the room is
    /// deleted.
    func moveDirectRoom(_ room: RoomID, to new: RoomID, of erased: ErasedUser) throws(MongoError) -> ErasureSlice {
        try update(
            MongoSchema.rooms,
            [
                [
                    "q": ["roomId": .string(room), "state": MongoSchema.RoomState.live],
                    "u": ["$set": ["state": MongoSchema.RoomState.deleted, "isMoving": true]],
                ]
            ])
        let found = try find(
            MongoSchema.messages, ["roomId": .string(room)],
            ["limit": .int64(Self.messagesAtOnce), "projection": ["_id": 1]]
        ).compactMap { $0["_id"] }
        if !found.isEmpty {
            try update(
                MongoSchema.messages, found.map { ["q": ["_id": $0], "u": ["$set": ["roomId": .string(new)]]] })
            try putAside(found, in: room)
            return ErasureSlice(rooms: [new], next: "more")
        }
        try update(
            MongoSchema.readMarks,
            [["q": ["roomId": .string(room)], "u": ["$set": ["roomId": .string(new)]], "multi": true]])
        _ = try delete(MongoSchema.readMarks, [["roomId": .string(room)]])
        if try documents(of: new).first != nil {
            _ = try delete(MongoSchema.rooms, [["roomId": .string(room)]])
        } else {
            var people = [erased.pseudonym]
            if let partner = erased.partner(in: room) { people.append(partner) }
            let revived: BSONDocument = [
                "$set": ["roomId": .string(new), "state": nil, "participants": .strings(people)],
                "$unset": ["isMoving": ""],
            ]
            try update(
                MongoSchema.rooms,
                [
                    ["q": ["roomId": .string(room), "isMoving": true], "u": .document(revived)],
                    ["q": ["roomId": .string(room)], "u": ["$set": ["roomId": .string(new)]]],
                ], isOrdered: true)
        }
        return ErasureSlice(rooms: [new], next: nil)
    }

    /// Messages whose numbers are taken under the neutral id were sent to a room that was made anew under the old id. They get
    /// into rooms of their own that no user reaches.
    private func putAside(_ ids: [BSONValue], in room: RoomID) throws(MongoError) {
        let left = try find(
            MongoSchema.messages, ["roomId": .string(room), "_id": ["$in": .array(ids)]], ["projection": ["_id": 1]])
        let updates = left.compactMap { document -> BSONDocument? in
            guard let id = document["_id"] else { return nil }
            let aside = "erased:" + (id.identifier ?? "\(id.hashValue)")
            return ["q": ["_id": id], "u": ["$set": ["roomId": .string(aside)]]]
        }
        if !updates.isEmpty { try update(MongoSchema.messages, updates) }
    }

    // MARK: Expired messages

    /// Rooms whose ids are texts come first, then the others, which are counted.
    func eraseExpiredMessages(
        _ rule: RetentionRule, at now: Timestamp, after cursor: String?
    ) throws(MongoError) -> ErasureSlice {
        let isCounted = cursor?.first == "n"
        let place = String(cursor?.dropFirst() ?? "")
        let skipped = isCounted ? max(0, Int64(place) ?? 0) : 0
        let filter: BSONDocument =
            isCounted
            ? ["roomId": ["$not": ["$type": "string"]]] : ["roomId": ["$type": "string", "$gt": .string(place)]]
        let rooms = try find(
            MongoSchema.rooms, filter,
            ["sort": ["roomId": 1], "skip": .int64(skipped), "limit": .int64(Self.roomsAtOnce)])
        var slice = ErasureSlice(next: nil)
        for (offset, document) in rooms.enumerated() {
            guard let id = document["roomId"]?.identifier,
                let limit = rule.limit(roomDays: RoomRevision.retention(document["retentionDays"]?.integer), at: now)
            else {
                continue
            }
            let room = RoomID(unchecked: id)
            let expired = try expire(room, document, before: limit)
            slice.messages += expired.messages
            slice.metadata += expired.metadata
            if expired.messages > 0 { slice.rooms.append(room) }
            // The same room again: it may have more.
            if slice.messages >= Self.expiredAtOnce {
                let before = offset > 0 ? rooms[offset - 1]["roomId"]?.text : place
                slice.next = isCounted ? "n\(skipped + Int64(offset))" : "s\(before ?? place)"
                return slice
            }
        }
        let isLast = rooms.count < Self.roomsAtOnce
        slice.next =
            switch (isCounted, isLast) {
            case (true, true): nil
            case (true, false): "n\(skipped + Self.roomsAtOnce)"
            case (false, true): "n0"
            case (false, false): "s" + (rooms.last?["roomId"]?.text ?? "")
            }
        return slice
    }

    /// - Returns: how many entries were old enough, and their metadata.
    private func expire(
        _ room: RoomID, _ document: BSONDocument, before limit: Timestamp
    ) throws(MongoError) -> ErasureSlice {
        let expired = MessageNumbers.mark(document["expiredThrough"]?.integer)
        let found = try find(
            MongoSchema.messages,
            [
                "roomId": .any(of: room),
                "seq": ["$gt": .int64(expired), "$lte": .int64(MessageNumbers.valid.upperBound)],
            ], ["sort": ["seq": 1], "limit": .int64(Int64(Self.expiredAtOnce))])
        let old = found.prefix { document in
            (document["timestamp"]?.timestamp ?? document["createdAt"]?.timestamp).map { $0 < limit } ?? true
        }
        guard let last = old.last?["seq"]?.integer else { return ErasureSlice(next: nil) }
        let stones = old.filter { $0["change"] == nil && $0["deleted"]?.bool != true }
        if !stones.isEmpty {
            try update(
                MongoSchema.messages,
                stones.map { ["q": ["_id": $0["_id"] ?? .null], "u": .document($0.stone())] })
            try dropReasons(ofFlagsOf: stones.compactMap { $0["_id"]?.objectID }, in: room)
        }
        try update(
            MongoSchema.rooms,
            [
                [
                    "q": ["roomId": .any(of: room), "lastSeq": ["$lte": .int64(last)]],
                    "u": ["$set": ["lastMessage.content": ""]], "multi": true,
                ],
                ["q": ["roomId": .any(of: room)], "u": ["$max": ["expiredThrough": .int64(last)]], "multi": true],
            ])
        // Changes count too, so that a room with many of them is gone through in parts.
        var slice = ErasureSlice(messages: old.count, next: nil)
        for message in stones.lazy.compactMap({ $0.message() }) {
            guard let metadata = message.body.metadata else { continue }
            slice.metadata.append(ErasedMetadata(room: room, author: message.body.author, text: metadata))
        }
        return slice
    }
}
