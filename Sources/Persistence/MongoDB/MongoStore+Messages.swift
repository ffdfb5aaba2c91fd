public import ChatDomain

extension MongoStore {
    /// Messages of one query. Long messages fill a page early, and then the rest is not read.
    private static let messagesPerQuery: SequenceNumber = 100

    public func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage {
        try await run { connection throws(MongoError) in
            let newest = try connection.newest(of: [room])[room]?.sequence ?? 0
            return try HistoryRange(query, newest: newest).page { (stretch, budget) throws(MongoError) in
                var found: [Message] = []
                var rest = stretch
                while rest.first <= rest.last, !budget.isSpent, found.count < stretch.limit {
                    let messages = try connection.messages(of: room, rest.takeSlice(of: Self.messagesPerQuery))
                    found += (stretch.isNewestFirst ? messages.reversed() : messages)
                        .prefix(stretch.limit - found.count).prefix { budget.takes($0.encodedBytes) }
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
        throw .unavailable(reason: "not yet")
    }

    public func changedMessages(of room: RoomID, _ query: ChangesQuery) async throws(StoreError) -> ChangesPage {
        ChangesPage()
    }

    public func replies(
        to id: MessageID, in room: RoomID, _ query: HistoryQuery
    ) async throws(StoreError) -> HistoryPage {
        throw .unavailable(reason: "not yet")
    }

    public func log(
        of room: RoomID, after sequence: SequenceNumber, limit: Int
    ) async throws(StoreError) -> RoomLogPage {
        let page = try await history(of: room, HistoryQuery(.after(sequence), limit: limit))
        return RoomLogPage(entries: page.messages.map { .message($0) }, hasMore: page.hasMoreAfter)
    }
}

extension HistoryRange.Stretch {
    /// Removes and returns the next numbers, from the end that is read first.
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
