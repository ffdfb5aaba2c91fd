public import ChatDomain

extension MongoStore {
    /// Messages of one query. Long messages fill a page early, and then the rest is not read.
    private static let messagesPerQuery = 100

    public func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage {
        try await page(of: room, query)
    }

    public func replies(
        to id: MessageID, in room: RoomID, _ query: HistoryQuery
    ) async throws(StoreError) -> HistoryPage {
        try await page(of: room, query, answering: id)
    }

    /// - Parameter answered: only messages that answer this one.
    private func page(
        of room: RoomID, _ query: HistoryQuery, answering answered: MessageID? = nil
    ) async throws(StoreError) -> HistoryPage {
        try await run { connection throws(MongoError) in
            let newest = try connection.newestNumber(of: room, answering: answered)
            return try HistoryRange(query, newest: newest).page { (stretch, budget) throws(MongoError) in
                var found: [Message] = []
                var rest = stretch
                while rest.first <= rest.last, !budget.isSpent, rest.limit > 0 {
                    var part = rest
                    part.limit = min(rest.limit, Self.messagesPerQuery)
                    let messages = try connection.messages(of: room, part, answering: answered)
                    found += messages.prefix { budget.takes($0.encodedBytes) }
                    guard messages.count == part.limit, let last = messages.last else { break }
                    rest.limit -= messages.count
                    if rest.isNewestFirst { rest.last = last.sequence - 1 } else { rest.first = last.sequence + 1 }
                }
                return found
            }
        }
    }

    public func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber] {
        try await run { connection throws(MongoError) in try connection.newest(of: rooms).mapValues(\.sequence) }
    }

    public func message(
        _ id: MessageID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message? {
        try await run { connection throws(MongoError) in try connection.message(id, in: room, above: base) }
    }

    public func message(
        sentAs clientMessageID: String, by author: UserID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message? {
        try await run { connection throws(MongoError) in
            let found = try connection.find(
                MongoSchema.messages,
                ["roomId": .string(room), "userId": .string(author), "clientMessageId": .string(clientMessageID)])
            // An entry with this client id may be a change, and the message may be one of an earlier room.
            return found.lazy.compactMap { $0.message() }.first { $0.sequence > base }
        }
    }

    public func changedMessages(of room: RoomID, _ query: ChangesQuery) async throws(StoreError) -> ChangesPage {
        try await run { connection throws(MongoError) in try connection.changedMessages(of: room, query) }
    }

    public func log(
        of room: RoomID, after sequence: SequenceNumber, limit: Int
    ) async throws(StoreError) -> RoomLogPage {
        try await run { connection throws(MongoError) in try connection.log(of: room, after: sequence, limit: limit) }
    }
}

extension MongoConnection {
    /// The number of the newest message, 0 for none.
    fileprivate func newestNumber(
        of room: RoomID, answering answered: MessageID?
    ) throws(MongoError) -> SequenceNumber {
        guard let newest = try newest(of: [room])[room] else { return 0 }
        if newest.isMessage, answered == nil { return newest.sequence }
        return try newestMessage(of: room, upTo: newest.sequence, answering: answered)?.sequence ?? 0
    }
}
