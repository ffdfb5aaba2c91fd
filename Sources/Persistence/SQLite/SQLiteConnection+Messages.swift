import ChatDomain

extension SQLiteConnection {
    private static let oldestFirst: StaticString = """
        SELECT key, id, author, username, text, kind, timestamp, client_id, metadata, reply_to
        FROM messages WHERE key BETWEEN ? AND ? ORDER BY key
        """
    private static let newestFirst: StaticString = """
        SELECT key, id, author, username, text, kind, timestamp, client_id, metadata, reply_to
        FROM messages WHERE key BETWEEN ? AND ? ORDER BY key DESC
        """

    func history(of room: RoomID, _ query: HistoryQuery) throws(StoreError) -> HistoryPage {
        let found = try newestKey(of: room)
        let range = HistoryRange(query, newest: found.map { Schema.sequence(ofKey: $0.newest) } ?? 0)
        return try range.page { (stretch, budget) throws(StoreError) in
            guard let key = found?.room else { return [] }
            var messages: [Message] = []
            try statement(stretch.isNewestFirst ? Self.newestFirst : Self.oldestFirst).bind(
                1, Schema.messageKey(room: key, stretch.first)
            ).bind(2, Schema.messageKey(room: key, stretch.last))
                .each { row in
                    let message = row.message(in: room)
                    guard budget.takes(message.encodedBytes) else { return false }
                    messages.append(message)
                    return true
                }
            return messages
        }
    }

    func lastSequences(of rooms: [RoomID]) throws(StoreError) -> [RoomID: SequenceNumber] {
        var sequences: [RoomID: SequenceNumber] = [:]
        for room in rooms {
            guard let newest = try newestKey(of: room)?.newest, newest > 0 else { continue }
            sequences[room] = Schema.sequence(ofKey: newest)
        }
        return sequences
    }

    /// Reads that take several statements see one state of the database.
    func consistently<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        try statement("BEGIN").run()
        defer { try? statement("COMMIT").run() }
        return try body()
    }

    /// The room's key and its newest message's, 0 for none.
    private func newestKey(of room: RoomID) throws(StoreError) -> (room: Int64, newest: Int64)? {
        try statement(
            """
            SELECT key, (
                SELECT max(m.key) FROM messages m WHERE m.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295)
            FROM rooms r WHERE id = ?
            """
        ).bind(1, room.value).first { row in (row.integer(0), row.integer(1)) }
    }
}
