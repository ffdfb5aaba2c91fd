import ChatDomain

extension MongoConnection {
    /// Messages of a stretch of history, in its order and as many as it asks for.
    ///
    /// - Parameter answered: only those that answer this message.
    func messages(
        of room: RoomID, _ stretch: HistoryRange.Stretch, answering answered: MessageID? = nil
    ) throws(MongoError) -> [Message] {
        guard stretch.first <= stretch.last, stretch.limit > 0 else { return [] }
        let base = holdsUnnumbered && answered == nil ? try base(of: room) ?? 0 : 0
        let old = stretch.first <= base ? stretch.first...min(base, stretch.last) : nil
        var numbered = stretch
        numbered.first = max(stretch.first, base + 1)
        guard let old else { return try numberedMessages(of: room, numbered, answering: answered) }
        guard !stretch.isNewestFirst else {
            let newer = try numberedMessages(of: room, numbered, answering: nil)
            let rest = SequenceNumber(stretch.limit - newer.count)
            guard rest > 0 else { return newer }
            let last = old.upperBound
            return try newer + messages(of: room, max(old.lowerBound, last - rest + 1)...last, before: base).reversed()
        }
        let rest = SequenceNumber(stretch.limit)
        let older = try messages(
            of: room, old.lowerBound...min(old.upperBound, old.lowerBound + rest - 1), before: base)
        numbered.limit = stretch.limit - older.count
        return try older + numberedMessages(of: room, numbered, answering: nil)
    }

    /// The newest message of each room, up to the number of its newest entry.
    func messages(upTo newest: [RoomID: SequenceNumber]) throws(MongoError) -> [RoomID: Message] {
        guard !newest.isEmpty else { return [:] }
        let places = newest.map { room, sequence -> BSONDocument in
            ["roomId": .any(of: room), "seq": .int64(sequence)]
        }
        var messages: [RoomID: Message] = [:]
        for document in try find(MongoSchema.messages, ["$or": .documents(places)]) {
            if let message = document.message() { messages[message.roomID] = message }
        }
        // The newest entry is a change, or has no stored number.
        for (room, sequence) in newest where messages[room] == nil {
            messages[room] = try newestMessage(of: room, upTo: sequence)
        }
        return messages
    }

    /// The newest message numbered at most `sequence`.
    ///
    /// - Parameter answered: only of those that answer this message.
    func newestMessage(
        of room: RoomID, upTo sequence: SequenceNumber, answering answered: MessageID? = nil
    ) throws(MongoError) -> Message? {
        var stretch = HistoryRange.Stretch.nothing
        (stretch.first, stretch.last, stretch.limit) = (1, sequence, 1)
        return try messages(of: room, stretch, answering: answered).first
    }

    /// Documents of one query. Changes among them are left out here: a filter would cost a query the use of its index on some servers.
    private static let documentsPerQuery = 100

    private func numberedMessages(
        of room: RoomID, _ stretch: HistoryRange.Stretch, answering answered: MessageID?
    ) throws(MongoError) -> [Message] {
        var messages: [Message] = []
        var rest = stretch
        var count = min(stretch.limit, Self.documentsPerQuery)
        while rest.first <= rest.last, messages.count < stretch.limit {
            var filter: BSONDocument = [
                "roomId": .any(of: room), "seq": ["$gte": .int64(rest.first), "$lte": .int64(rest.last)],
            ]
            if let answered { filter["replyTo"] = .string(answered.description) }
            let found = try find(
                MongoSchema.messages, filter,
                ["sort": ["seq": rest.isNewestFirst ? -1 : 1], "limit": .int64(Int64(count))])
            // The unique index allows a number twice when the room's id is stored in two forms.
            for message in found.lazy.compactMap({ $0.message() }) where message.sequence != messages.last?.sequence {
                messages.append(message)
            }
            guard found.count == count, let last = MessageNumbers.message(found.last?["seq"]?.integer) else { break }
            if rest.isNewestFirst { rest.last = last - 1 } else { rest.first = last + 1 }
            // There may be many changes between two messages.
            count = Self.documentsPerQuery
        }
        return Array(messages.prefix(max(0, stretch.limit)))
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
