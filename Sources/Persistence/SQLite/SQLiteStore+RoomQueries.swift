public import ChatDomain

extension SQLiteStore {
    public func room(_ id: RoomID) async throws(StoreError) -> RoomSnapshot? {
        try await read { [unmoved] connection throws(StoreError) in
            let newest = unmoved.newest(in: id)?.sequence ?? 0
            return try connection.consistently { () throws(StoreError) in try connection.room(id, unmoved: newest) }
        }
    }

    public func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) async throws(StoreError) -> [RoomSummary] {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.rooms(of: user, after: cursor, limit: limit, unmoved: unmoved)
        }
    }

    public func readMark(of user: UserID, in room: RoomID) async throws(StoreError) -> SequenceNumber {
        try await read { [unmoved] connection throws(StoreError) in
            // Marks of authors reach their table together with the messages.
            let sent = unmoved.rooms([room])[room]?.lastSent(by: user) ?? 0
            return try connection.statement(
                """
                SELECT coalesce(k.sequence, 0), r.history_base FROM rooms r
                LEFT JOIN read_marks k ON k.room = r.key AND k.user = ? WHERE r.id = ? AND r.state = 1
                """
            ).bind(1, user.value).bind(2, room.value).first { row in
                max(MessageNumbers.mark(row.integer(0)), sent > row.integer(1) ? sent : 0)
            } ?? 0
        }
    }

    public func readMarks(
        in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [ReadMark] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                """
                SELECT k.user, k.sequence FROM rooms r JOIN read_marks k ON k.room = r.key AND k.user > ?
                WHERE r.id = ? AND r.state = 1 ORDER BY k.user LIMIT ?
                """
            ).bind(1, cursor?.value ?? "").bind(2, room.value).bind(3, Int64(max(0, limit))).rows { $0.readMark }
        }
    }
}

extension SQLiteConnection {
    /// The room with its participants, or nil when there is none or it was deleted.
    ///
    /// - Parameter unmoved: the room's newest number in the journal, 0 for none.
    func room(_ id: RoomID, unmoved: SequenceNumber) throws(StoreError) -> RoomSnapshot? {
        let found = try statement(
            """
            SELECT key, id, kind, private, name, owner, created_at, updated_at, history_base, (
                SELECT max(m.key) FROM messages m WHERE m.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295), (
                SELECT max(c.key) FROM changes c WHERE c.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295),
                read_only, slow_mode, retention_days
            FROM rooms r WHERE id = ? AND state = 1
            """
        ).bind(1, id.value).first { row in
            (row.integer(0), row.room(withRules: 11), max(row.integer(9), row.integer(10)))
        }
        guard let (key, room, newest) = found else { return nil }
        var snapshot = try snapshot(of: room, key: key, newest: max(Schema.sequence(ofKey: newest), unmoved))
        snapshot.authority = try authority(of: room, key: key)
        snapshot.readMarks = try statement(
            "SELECT user, sequence FROM read_marks WHERE room = ? ORDER BY sequence DESC, user LIMIT ?"
        ).bind(1, key).bind(2, Int64(ReadMarkBoard.capacity)).rows { $0.readMark }
        return snapshot
    }

    /// The user's rooms behind a place in their list, each with its newest reachable message.
    func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int, unmoved: UnmovedMessages
    ) throws(StoreError) -> [RoomSummary] {
        let keys = try statement(
            "SELECT r.id, r.key FROM participants p JOIN rooms r ON r.key = p.room AND r.state = 1 WHERE p.user = ?"
        ).bind(1, user.value).rows { (id: RoomID(unchecked: $0.text(0)), key: $0.integer(1)) }
        let unmoved = unmoved.rooms(keys.map(\.id))
        var unmovedByKey: [Int64: UnmovedRoom] = [:]
        for (id, key) in keys { unmovedByKey[key] = unmoved[id] }
        return try consistently { () throws(StoreError) in
            try rooms(of: user, after: cursor, limit: limit, unmoved: unmovedByKey)
        }
    }

    /// - Parameter unmoved: what the journal has of the user's rooms, by the rooms' keys.
    private func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int, unmoved: [Int64: UnmovedRoom]
    ) throws(StoreError) -> [RoomSummary] {
        // Without a type the column is not looked up by an index.
        let found = try statement(
            """
            WITH unmoved(room, sequence, timestamp) AS MATERIALIZED (
                SELECT CAST(value ->> 0 AS INTEGER), value ->> 1, value ->> 2 FROM json_each(?7))
            SELECT r.key, r.id, r.kind, r.private, r.name, r.owner, r.created_at, r.updated_at, r.history_base,
                coalesce(k.sequence, 0),
                m.key, m.id, m.author, m.username, m.text, m.kind, m.timestamp, m.client_id, m.metadata, m.reply_to,
                m.mentions, s.last_change, s.edited_at, s.deleted, s.pinned, s.reactions, s.reply_count, s.last_reply,
                (SELECT max(c.key) FROM changes c WHERE c.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295),
                min(max(r.updated_at, ?5, CASE
                    WHEN u.sequence > max(r.history_base, coalesce(m.key & 4294967295, 0)) THEN u.timestamp
                    WHEN m.key & 4294967295 > r.history_base THEN m.timestamp ELSE ?5 END), ?6) AS activity,
                r.read_only, r.slow_mode, r.retention_days
            FROM participants p JOIN rooms r ON r.key = p.room AND r.state = 1
            LEFT JOIN read_marks k ON k.room = p.room AND k.user = p.user
            LEFT JOIN messages m ON m.key = (
                SELECT max(n.key) FROM messages n WHERE n.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295)
            LEFT JOIN message_states s ON s.key = m.key
            LEFT JOIN unmoved u ON u.room = r.key
            WHERE p.user = ?1 AND (activity < ?2 OR activity = ?2 AND r.id > ?3)
            ORDER BY activity DESC, r.id
            LIMIT ?4
            """
        ).bind(1, user.value).bind(2, cursor.activity.milliseconds).bind(3, cursor.room.value)
            .bind(4, Int64(limit)).bind(5, Timestamp.years.lowerBound).bind(6, Timestamp.years.upperBound)
            .bind(7, Self.json(unmoved.compactMapValues(\.newest)))
            .rows { row -> ListedRoom? in
                let room = row.room(withRules: 30)
                let key = row.integer(0)
                var newest = row.isNull(10) ? nil : row.message(in: room.id, from: 10)
                if let unmoved = unmoved[key]?.newest, unmoved.sequence > newest?.sequence ?? 0 { newest = unmoved }
                return ListedRoom(
                    key: key, room: room, readMark: MessageNumbers.mark(row.integer(9)), newest: newest,
                    newestChange: Schema.sequence(ofKey: row.integer(28)))
            }
        var summaries: [RoomSummary] = []
        for listed in found {
            let newest = listed.newest?.sequence ?? 0
            let snapshot = try snapshot(
                of: listed.room, key: listed.key, newest: max(newest, listed.newestChange))
            let lastMessage = newest > listed.room.historyBase ? listed.newest : nil
            // Sending is reading, also while the mark is still on its way behind the message.
            let own = lastMessage.map { $0.body.author == user ? $0.sequence : 0 } ?? 0
            let mark = max(own, listed.readMark, unmoved[listed.key]?.lastSent(by: user) ?? 0)
            let start = RoomSummary.start(mark, in: listed.room)
            summaries.append(
                RoomSummary(
                    snapshot: snapshot, lastMessage: lastMessage, lastReadSequence: mark,
                    otherNumbers: try countOthers(in: listed.key, after: start),
                    mentions: try countMentions(of: user, in: listed.key, after: start, unmoved[listed.key])))
        }
        return summaries
    }

    /// Numbers behind one that are no messages: of changes, and of messages that are deleted. A message has one deletion at most,
    /// which is numbered behind it.
    private func countOthers(in room: Int64, after start: SequenceNumber) throws(StoreError) -> Int {
        try statement(
            """
            SELECT count(*) + coalesce(sum(kind = 'deleted' AND message > ?1), 0) FROM changes
            WHERE key > ?1 AND key <= ?2
            """
        ).bind(1, Schema.messageKey(room: room, min(start, Schema.maximumSequence)))
            .bind(2, Schema.messageKey(room: room, Schema.maximumSequence)).first { Int($0.integer(0)) } ?? 0
    }

    private func countMentions(
        of user: UserID, in room: Int64, after start: SequenceNumber, _ unmoved: UnmovedRoom?
    ) throws(StoreError) -> Int {
        let end = min(unmoved?.start ?? .max, Schema.maximumSequence)
        let stored =
            try statement(
                """
                SELECT count(*) FROM messages WHERE key > ?1 AND key < ?2 AND mentions IS NOT NULL
                    AND instr(char(31) || mentions || char(31), char(31) || ?3 || char(31)) > 0
                """
            ).bind(1, Schema.messageKey(room: room, min(start, Schema.maximumSequence)))
            .bind(2, Schema.messageKey(room: room, end)).bind(3, user.value).first { Int($0.integer(0)) } ?? 0
        return stored + (unmoved?.mentions(of: user, after: start) ?? 0)
    }

    private struct ListedRoom {
        var key: Int64
        var room: Room
        var readMark: SequenceNumber
        /// Reachable or not.
        var newest: Message?
        /// The number of the newest change, 0 for none.
        var newestChange: SequenceNumber
    }

    /// Rows for SQL: room key, number, time.
    private static func json(_ messages: [Int64: Message]) -> String {
        let rows = messages.map { "[\($0),\($1.sequence),\($1.timestamp.milliseconds)]" }
        return "[\(rows.joined(separator: ","))]"
    }

    private func snapshot(of room: Room, key: Int64, newest: SequenceNumber) throws(StoreError) -> RoomSnapshot {
        let participants = try statement("SELECT user FROM participants WHERE room = ?").bind(1, key)
            .rows { row -> UserID? in UserID(unchecked: row.text(0)) }
        return RoomSnapshot(
            room: room, participants: Set(participants),
            lastSequence: max(newest, room.historyBase))
    }
}

extension Row {
    /// Columns 1…8: id, kind, private, name, owner, created_at, updated_at, history_base; from `rules` on: read_only, slow_mode,
    /// retention_days.
    fileprivate func room(withRules rules: Int32) -> Room {
        Room(
            id: RoomID(unchecked: text(1)), kind: Room.Kind(rawValue: text(2)) ?? .group, isPrivate: integer(3) != 0,
            name: optionalText(4), owner: optionalText(5).map { UserID(unchecked: $0) },
            createdAt: Timestamp(milliseconds: integer(6)), updatedAt: Timestamp(milliseconds: integer(7)),
            isReadOnly: integer(rules) != 0,
            slowModeSeconds: RoomRevision.slowMode(integer(rules + 1)),
            retentionDays: optionalInteger(rules + 2).flatMap(RoomRevision.retention),
            historyBase: MessageNumbers.mark(integer(8)))
    }

    /// Columns 0 and 1: user, sequence.
    fileprivate var readMark: ReadMark? {
        ReadMark(userID: UserID(unchecked: text(0)), sequence: MessageNumbers.mark(integer(1)))
    }
}
