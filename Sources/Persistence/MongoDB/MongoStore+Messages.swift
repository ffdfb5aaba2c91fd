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
                while rest.first <= rest.last, !budget.isSpent {
                    let messages = try connection.messages(of: room, rest.takeSlice(of: Self.messagesPerQuery))
                    found += (stretch.isNewestFirst ? messages.reversed() : messages).prefix {
                        budget.takes($0.encodedBytes)
                    }
                }
                return found
            }
        }
    }

    public func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber] {
        try await run { connection throws(MongoError) in try connection.newest(of: rooms).mapValues(\.sequence) }
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
