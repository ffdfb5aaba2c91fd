public import ChatDomain

extension SQLiteStore {
    public func record(_ entry: AuditEntry) async throws(StoreError) {
        try await write { session throws(StoreError) in
            try session.connection.statement(
                """
                INSERT OR IGNORE INTO audit(
                    timestamp, id, action, outcome, service, actor, address, instance, user, room, message, detail)
                VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
            ).bind(1, entry.timestamp.milliseconds).bind(2, entry.id).bind(3, entry.action.rawValue)
                .bind(4, entry.outcome.rawValue).bind(5, entry.isService ? Int64(1) : 0).bind(6, entry.actor?.value)
                .bind(7, entry.address).bind(8, entry.instance.value).bind(9, entry.user?.value)
                .bind(10, entry.room?.value).bind(11, entry.message?.description).bind(12, entry.detail).run()
        }
    }

    public func auditEntries(_ query: AuditQuery) async throws(StoreError) -> [AuditEntry] {
        let place = query.before ?? .end
        return try await read { connection throws(StoreError) in
            try connection.statement(
                """
                SELECT timestamp, id, action, outcome, service, actor, address, instance, user, room, message, detail
                FROM audit WHERE (timestamp, id) < (?1, ?2) AND (?3 IS NULL OR action = ?3)
                    AND (?4 IS NULL OR user = ?4) AND (?5 IS NULL OR actor = ?5)
                ORDER BY timestamp DESC, id DESC LIMIT ?6
                """
            ).bind(1, place.timestamp.milliseconds).bind(2, place.id).bind(3, query.action?.rawValue)
                .bind(4, query.user?.value).bind(5, query.actor?.value).bind(6, Int64(max(0, query.limit)))
                .rows { $0.auditEntry }
        }
    }

    public func trimAudit(before time: Timestamp, keeping count: Int) async throws(StoreError) {
        try await write { session throws(StoreError) in
            let connection = session.connection
            try connection.statement("DELETE FROM audit WHERE timestamp < ?").bind(1, time.milliseconds).run()
            try connection.statement(
                """
                DELETE FROM audit WHERE (timestamp, id) <= (
                    SELECT timestamp, id FROM audit ORDER BY timestamp DESC, id DESC LIMIT 1 OFFSET ?)
                """
            ).bind(1, Int64(max(0, count))).run()
        }
    }
}

extension AuditPlace {
    /// Behind every entry.
    fileprivate static let end = AuditPlace(
        timestamp: Timestamp(milliseconds: .max), id: MessageID(high: .max, low: .max))
}

extension Row {
    /// Columns 0…11, in the order of the table.
    fileprivate var auditEntry: AuditEntry? {
        guard let action = AuditEntry.Action(rawValue: text(2)), let outcome = AuditEntry.Outcome(rawValue: text(3))
        else { return nil }
        return AuditEntry(
            id: messageID(1), timestamp: Timestamp(milliseconds: integer(0)), action: action, outcome: outcome,
            isService: integer(4) != 0, actor: optionalText(5).map { UserID(unchecked: $0) }, address: optionalText(6),
            instance: InstanceID(text(7)), user: optionalText(8).map { UserID(unchecked: $0) },
            room: optionalText(9).map { RoomID(unchecked: $0) }, message: optionalText(10).flatMap { MessageID($0) },
            detail: optionalText(11))
    }
}
