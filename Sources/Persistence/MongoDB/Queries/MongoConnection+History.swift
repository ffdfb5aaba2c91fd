import ChatDomain

extension MongoConnection {
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
        // The unique index allows a number twice when the room's id is stored in two forms.
        var messages: [Message] = []
        for message in found.lazy.compactMap({ $0.message() })
        where message.sequence > messages.last?.sequence ?? 0 {
            messages.append(message)
        }
        return messages
    }

    /// Messages of a range among the room's first `base`, some of which may have no stored number.
    ///
    /// The number of each is its place in the order of time and id, whether it is stored or not. So a migration may write
    /// numbers during this read.
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
