import ChatDomain

extension MongoConnection {
    func history(of room: RoomID, _ query: HistoryQuery) throws(MongoError) -> HistoryPage {
        let newest = try newest(of: [room])[room]?.sequence ?? 0
        let range = HistoryRange(query, newest: newest)
        let messages = range.isEmpty ? [] : try messages(of: room, range.first...range.last)
        return HistoryPage(messages: messages, hasMoreBefore: range.hasMoreBefore, hasMoreAfter: range.hasMoreAfter)
    }

    /// The messages of a range of numbers, in order.
    func messages(of room: RoomID, _ range: ClosedRange<SequenceNumber>) throws(MongoError) -> [Message] {
        let numbered = try numberedMessages(of: room, range)
        guard holdsUnnumbered, numbered.count < range.count, let base = try base(of: room), range.lowerBound <= base
        else { return numbered }
        let first = try messages(of: room, range.lowerBound...min(base, range.upperBound), before: base)
        return first + numbered.filter { $0.sequence > base }
    }

    /// The newest message of each room, by its number.
    func messages(at newest: [RoomID: SequenceNumber]) throws(MongoError) -> [RoomID: Message] {
        guard !newest.isEmpty else { return [:] }
        let places = newest.map { room, sequence -> BSONDocument in
            ["roomId": .string(room), "seq": .int64(sequence)]
        }
        var messages: [RoomID: Message] = [:]
        for document in try find(MongoSchema.messages, ["$or": .documents(places)]) {
            if let message = document.message() { messages[message.roomID] = message }
        }
        for (room, sequence) in newest where messages[room] == nil {
            messages[room] = try self.messages(of: room, sequence...sequence).first
        }
        return messages
    }

    private func numberedMessages(
        of room: RoomID, _ range: ClosedRange<SequenceNumber>
    ) throws(MongoError) -> [Message] {
        try find(
            MongoSchema.messages,
            [
                "roomId": .string(room),
                "seq": ["$gte": .int64(range.lowerBound), "$lte": .int64(range.upperBound)],
            ], ["sort": ["seq": 1]]
        ).compactMap { $0.message() }
    }

    /// The same among a room's first `base` messages, of which some may have no number written down yet.
    ///
    /// Their numbers are their places in the order of time and id, whether written or not; so it does not matter that
    /// numbers may be written while this reads.
    private func messages(
        of room: RoomID, _ range: ClosedRange<SequenceNumber>, before base: SequenceNumber
    ) throws(MongoError) -> [Message] {
        let found = try find(
            MongoSchema.messages,
            [
                "roomId": .string(room),
                "$or": [["seq": MongoSchema.isUnnumbered], ["seq": ["$lte": .int64(base)]]],
            ],
            [
                "sort": ["timestamp": 1, "_id": 1], "skip": .int64(range.lowerBound - 1),
                "limit": .int64(Int64(range.count)),
            ])
        return found.enumerated().compactMap { $1.message(number: range.lowerBound + SequenceNumber($0)) }
    }
}
