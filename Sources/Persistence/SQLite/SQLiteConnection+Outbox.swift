import ChatDomain

extension SQLiteConnection {
    func pendingEvents(
        of owner: InstanceID, limit: Int, except: Set<MessageID>
    ) throws(StoreError) -> [Message] {
        // Those on their way are among the oldest, so reading that many more is enough.
        let pending = try statement(
            """
            SELECT m.key, m.id, m.author, m.username, m.text, m.kind, m.timestamp, m.client_id, m.metadata, m.reply_to,
                r.id
            FROM outbox o JOIN messages m ON m.key = o.message JOIN rooms r ON r.key = m.room
            WHERE o.owner = ? ORDER BY o.position LIMIT ?
            """
        ).bind(1, owner.value).bind(2, Int64(limit + except.count)).rows { row -> Message? in
            except.contains(row.messageID(1)) ? nil : row.message(in: RoomID(unchecked: row.text(10)))
        }
        return Array(pending.prefix(limit))
    }

    func eventOwners() throws(StoreError) -> [InstanceID] {
        try statement("SELECT DISTINCT owner FROM outbox").rows { row -> InstanceID? in InstanceID(row.text(0)) }
    }

    func backlog() throws(StoreError) -> (count: Int, oldest: Timestamp?) {
        let count = try statement("SELECT count(*) FROM outbox").first { Int($0.integer(0)) } ?? 0
        let oldest = try statement(
            "SELECT m.timestamp FROM outbox o JOIN messages m ON m.key = o.message ORDER BY o.position LIMIT 1"
        ).first { Timestamp(milliseconds: $0.integer(0)) }
        return (count, oldest)
    }
}

extension WriteSession {
    func clearEvents(_ ids: [MessageID]) throws(StoreError) {
        for id in ids { try connection.statement("DELETE FROM outbox WHERE id = ?").bind(1, id).run() }
    }

    func adoptEvents(of dead: InstanceID, by owner: InstanceID) throws(StoreError) -> Int {
        try connection.statement("UPDATE outbox SET owner = ? WHERE owner = ?")
            .bind(1, owner.value).bind(2, dead.value).run()
        return connection.changes
    }
}
