public import ChatDomain

extension SQLiteStore {
    public func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage {
        try await read { [unmoved] connection throws(StoreError) in
            let tail = unmoved.tail(of: room, query)
            return try connection.consistently { () throws(StoreError) in
                try connection.history(of: room, query, tail: tail)
            }
        }
    }

    public func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber] {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.lastSequences(of: rooms, unmoved: unmoved.newest(in: rooms))
        }
    }
}

extension SQLiteConnection {
    private static let oldestFirst: StaticString = """
        SELECT * FROM current_messages WHERE key BETWEEN ? AND ? ORDER BY key
        """
    private static let newestFirst: StaticString = """
        SELECT * FROM current_messages WHERE key BETWEEN ? AND ? ORDER BY key DESC
        """

    /// - Parameter tail: what the room had in the journal before this connection's transaction began.
    func history(of room: RoomID, _ query: HistoryQuery, tail: UnmovedTail?) throws(StoreError) -> HistoryPage {
        let known = try newestKey(of: room)
        let range = tail?.range ?? HistoryRange(query, newest: known.map { Schema.sequence(ofKey: $0.newest) } ?? 0)
        return try range.page { (stretch, budget) throws(StoreError) in
            guard let key = known?.room else { return [] }
            let unmoved = tail?.messages.within(stretch.first, stretch.last) ?? []
            var messages: [Message] = []
            func take(_ message: Message) -> Bool {
                guard budget.takes(message.encodedBytes) else { return false }
                messages.append(message)
                return true
            }
            if stretch.isNewestFirst { guard unmoved.reversed().allSatisfy(take) else { return messages } }
            if messages.count < stretch.limit {
                try statement(stretch.isNewestFirst ? Self.newestFirst : Self.oldestFirst).bind(
                    1, Schema.messageKey(room: key, stretch.first)
                ).bind(2, Schema.messageKey(room: key, min(stretch.last, (tail?.start ?? .max) - 1)))
                    .each { take($0.message(in: room)) && messages.count < stretch.limit }
            }
            if !stretch.isNewestFirst, !budget.isSpent {
                _ = unmoved.prefix(stretch.limit - messages.count).allSatisfy(take)
            }
            return messages
        }
    }

    /// - Parameter unmoved: the rooms' newest messages in the journal, from before this is called.
    func lastSequences(
        of rooms: [RoomID], unmoved: [RoomID: Message]
    ) throws(StoreError) -> [RoomID: SequenceNumber] {
        var sequences: [RoomID: SequenceNumber] = [:]
        for room in rooms {
            let stored = try newestKey(of: room).map { Schema.sequence(ofKey: max($0.newest, $0.newestChange)) }
            let newest = max(stored ?? 0, unmoved[room]?.sequence ?? 0)
            if newest > 0 { sequences[room] = newest }
        }
        return sequences
    }

    /// Reads that take several statements see one state of the database.
    func consistently<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        try statement("BEGIN").run()
        defer { try? statement("COMMIT").run() }
        return try body()
    }

    /// The room's key, its newest message's and its newest change's, 0 for none.
    private func newestKey(
        of room: RoomID
    ) throws(StoreError) -> (room: Int64, newest: Int64, newestChange: Int64)? {
        try statement(
            """
            SELECT key, (
                SELECT max(m.key) FROM messages m WHERE m.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295), (
                SELECT max(c.key) FROM changes c WHERE c.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295)
            FROM rooms r WHERE id = ?
            """
        ).bind(1, room.value).first { row in (row.integer(0), row.integer(1), row.integer(2)) }
    }
}
