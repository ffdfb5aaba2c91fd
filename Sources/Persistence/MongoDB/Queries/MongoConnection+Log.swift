import ChatDomain

/// Reading changes, and messages by what changes made of them.
extension MongoConnection {
    private static let entriesPerQuery = 200

    /// Documents as entries of their rooms' logs. Edits get the text that the message has now.
    func entries(_ documents: [BSONDocument]) throws(MongoError) -> [RoomLogEntry] {
        var places: [RoomID: [MessageID]] = [:]
        for document in documents {
            guard let edited = document.editedMessage, let room = document["roomId"]?.identifier else { continue }
            places[RoomID(unchecked: room), default: []].append(edited)
        }
        var messages: [MessageID: Message] = [:]
        for (room, ids) in places {
            let found = try find(MongoSchema.messages, ["roomId": .any(of: room), "_id": .anyID(of: ids)])
            for message in found.lazy.compactMap({ $0.message() }) { messages[message.id] = message }
        }
        return documents.compactMap { document in
            document.entry(of: document.editedMessage.flatMap { messages[$0] })
        }
    }

    /// A room's log above a number.
    func log(of room: RoomID, after first: SequenceNumber, limit: Int) throws(MongoError) -> RoomLogPage {
        try bringUpToDate(room)
        var page = RoomLogPage()
        var budget = PageBudget()
        var after = max(0, first)
        if holdsUnnumbered, let base = try base(of: room), after < base {
            var stretch = HistoryRange.Stretch.nothing
            (stretch.first, stretch.last, stretch.limit) = (after + 1, base, limit)
            stretch.isNewestFirst = false
            let old = try messages(of: room, stretch)
            page.entries = old.prefix { budget.takes($0.encodedBytes) }.map { .message($0) }
            guard page.entries.count == old.count, old.count < limit else {
                page.hasMore = true
                return page
            }
            after = base
        }
        while !budget.isSpent {
            let count = min(Self.entriesPerQuery, limit - page.entries.count + 1)
            let found = try entries(
                find(
                    MongoSchema.messages,
                    [
                        "roomId": .any(of: room),
                        "seq": ["$gt": .int64(after), "$lte": .int64(MessageNumbers.valid.upperBound)],
                    ], ["sort": ["seq": 1], "limit": .int64(Int64(count))]))
            for entry in found where entry.sequence > page.entries.last?.sequence ?? 0 {
                guard page.entries.count < limit, budget.takes(entry.encodedBytes) else {
                    page.hasMore = true
                    return page
                }
                page.entries.append(entry)
            }
            guard found.count == count, let last = found.last else { return page }
            after = last.sequence
        }
        page.hasMore = true
        return page
    }

    /// Messages whose last change is numbered above a number, in the order of these changes.
    func changedMessages(of room: RoomID, _ query: ChangesQuery) throws(MongoError) -> ChangesPage {
        try bringUpToDate(room)
        let limit = min(max(query.limit, HistoryQuery.limits.lowerBound), HistoryQuery.limits.upperBound)
        var page = ChangesPage()
        var budget = PageBudget()
        var after = query.after
        while true {
            let count = min(Self.entriesPerQuery, limit - page.messages.count + 1)
            let found = try find(
                MongoSchema.messages,
                [
                    "roomId": .any(of: room), "changeSeq": ["$gt": .int64(after)],
                    "seq": ["$gt": .int64(query.base), "$lte": .int64(query.upTo ?? MessageNumbers.valid.upperBound)],
                ], ["sort": ["changeSeq": 1], "limit": .int64(Int64(count))])
            for message in found.lazy.compactMap({ $0.message() }) {
                guard page.messages.count < limit, budget.takes(message.encodedBytes) else {
                    page.hasMore = true
                    return page
                }
                page.messages.append(message)
            }
            let last = found.last.flatMap { MessageNumbers.message($0["changeSeq"]?.integer) }
            guard found.count == count, let last, last > after else { return page }
            after = last
        }
    }

    /// A message as it is now; nil for none above `base`.
    func message(_ id: MessageID, in room: RoomID, above base: SequenceNumber) throws(MongoError) -> Message? {
        try bringUpToDate(id, in: room)
        return try find(MongoSchema.messages, ["roomId": .any(of: room), "_id": .objectID(id)])
            .lazy.compactMap { $0.message() }.first { $0.sequence > base }
    }
}
