import ChatDomain

extension MongoConnection {
    /// Messages read in one go: long ones fill a page soon, and what does not fit is not read.
    private static let messagesAtOnce: SequenceNumber = 100

    func history(of room: RoomID, _ query: HistoryQuery) throws(MongoError) -> HistoryPage {
        let newest = try newest(of: [room])[room]?.sequence ?? 0
        return try HistoryRange(query, newest: newest).page { (stretch, budget) throws(MongoError) in
            // The driver brings documents in batches, so that reading asks for no more than a part of a page each time.
            var found: [Message] = []
            var rest = stretch
            while rest.first <= rest.last, !budget.isSpent {
                let part = rest.takeSlice(of: Self.messagesAtOnce)
                let messages = try messages(of: room, part)
                found += (stretch.isNewestFirst ? messages.reversed() : messages).prefix {
                    budget.takes($0.encodedBytes)
                }
            }
            return found
        }
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
            ["roomId": .any(of: room), "seq": .int64(sequence)]
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
        let found = try find(
            MongoSchema.messages,
            [
                "roomId": .any(of: room),
                "seq": ["$gte": .int64(range.lowerBound), "$lte": .int64(range.upperBound)],
            ], ["sort": ["seq": 1]])
        // Under two forms of a room's id the index takes a number twice.
        var messages: [Message] = []
        for message in found.lazy.compactMap({ $0.message() })
        where message.sequence > messages.last?.sequence ?? 0 {
            messages.append(message)
        }
        return messages
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
                "roomId": .any(of: room),
                "$or": [["seq": MongoSchema.isUnnumbered], ["seq": ["$gte": 1, "$lte": .int64(base)]]],
            ],
            [
                "sort": ["timestamp": 1, "_id": 1], "skip": .int64(range.lowerBound - 1),
                "limit": .int64(Int64(range.count)),
            ])
        return found.enumerated().compactMap { $1.message(number: range.lowerBound + SequenceNumber($0)) }
    }
}

extension HistoryRange.Stretch {
    /// Takes the next numbers off, from the end it is read from.
    fileprivate mutating func takeSlice(of count: SequenceNumber) -> ClosedRange<SequenceNumber> {
        if isNewestFirst {
            let slice = max(first, last - count + 1)...last
            last = slice.lowerBound - 1
            return slice
        }
        let slice = first...min(last, first + count - 1)
        first = slice.upperBound + 1
        return slice
    }
}
