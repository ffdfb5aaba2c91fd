public import ChatDomain

extension SQLiteStore {
    public func message(
        _ id: MessageID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message? {
        try await read { [unmoved] connection throws(StoreError) in
            var found = unmoved.message(id, in: room)
            if found == nil { found = try connection.message(id, in: room) }
            return found.flatMap { $0.sequence > base ? $0 : nil }
        }
    }

    public func message(
        sentAs clientMessageID: String, by author: UserID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message? {
        try await read { [unmoved] connection throws(StoreError) in
            var message = unmoved.message(sentAs: clientMessageID, by: author, in: room)
            if message == nil {
                message = try connection.message(sentAs: clientMessageID, by: author, in: room)
            }
            return message.flatMap { $0.sequence > base ? $0 : nil }
        }
    }

    public func changedMessages(of room: RoomID, _ query: ChangesQuery) async throws(StoreError) -> ChangesPage {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.changedMessages(of: room, query, unmoved: unmoved)
        }
    }

    public func replies(
        to id: MessageID, in room: RoomID, _ query: HistoryQuery
    ) async throws(StoreError) -> HistoryPage {
        try await read { [unmoved] connection throws(StoreError) in
            let waiting = unmoved.replies(to: id, in: room)
            return try connection.replies(to: id, in: room, query, unmoved: waiting)
        }
    }

    /// Read by the writer's thread, which sees the journal and the tables at one moment. It is asked for where an instance has
    /// missed something, which is seldom.
    public func log(
        of room: RoomID, after sequence: SequenceNumber, limit: Int
    ) async throws(StoreError) -> RoomLogPage {
        try await write { session throws(StoreError) in
            try session.log(of: room, after: sequence, limit: limit)
        }
    }
}

extension SQLiteConnection {
    /// To be called outside of a transaction, after a look into the journal.
    func message(_ id: MessageID, in room: RoomID) throws(StoreError) -> Message? {
        try statement(
            """
            SELECT * FROM current_messages
            WHERE key = (SELECT key FROM message_ids WHERE id = ?) AND key >> 32 = (SELECT key FROM rooms WHERE id = ?)
            """
        ).bind(1, id).bind(2, room.value).first { $0.message(in: room) }
    }

    /// To be called outside of a transaction, after a look into the journal.
    func message(sentAs clientMessageID: String, by author: UserID, in room: RoomID) throws(StoreError) -> Message? {
        try statement(
            """
            SELECT * FROM current_messages WHERE key = (
                SELECT key FROM messages
                WHERE room = (SELECT key FROM rooms WHERE id = ?) AND author = ? AND client_id = ?)
            """
        ).bind(1, room.value).bind(2, author.value).bind(3, clientMessageID).first { $0.message(in: room) }
    }

    func changedMessages(
        of room: RoomID, _ query: ChangesQuery, unmoved: UnmovedMessages
    ) throws(StoreError) -> ChangesPage {
        guard let roomKey = try self.key(of: room) else { return ChangesPage() }
        let limits = HistoryQuery.limits
        let limit = min(max(query.limit, limits.lowerBound), limits.upperBound)
        func key(_ sequence: SequenceNumber) -> Int64 {
            Schema.messageKey(room: roomKey, min(max(sequence, 0), Schema.maximumSequence))
        }
        let changed = try statement(
            """
            SELECT key FROM message_states WHERE last_change > ? AND last_change <= ? AND key > ? AND key <= ?
            ORDER BY last_change LIMIT ?
            """
        ).bind(1, key(query.after)).bind(2, key(Schema.maximumSequence)).bind(3, key(query.base))
            .bind(4, key(query.upTo ?? Schema.maximumSequence)).bind(5, Int64(limit + 1)).rows { $0.integer(0) }
        var page = ChangesPage(hasMore: changed.count > limit)
        var budget = PageBudget()
        for key in changed.prefix(limit) {
            guard let message = try message(at: key, in: room, unmoved) else { continue }
            guard budget.takes(message.encodedBytes) else {
                page.hasMore = true
                break
            }
            page.messages.append(message)
        }
        return page
    }

    /// - Parameter unmoved: those of the replies that were in the journal before this is called.
    func replies(
        to id: MessageID, in room: RoomID, _ query: HistoryQuery, unmoved: [Message]
    ) throws(StoreError) -> HistoryPage {
        guard let key = try key(of: room) else {
            return HistoryPage(messages: [], hasMoreBefore: false, hasMoreAfter: false)
        }
        let range = HistoryRange(query, newest: Schema.maximumSequence)
        let isNewestFirst = if case .after = query.cursor { false } else { true }
        let limit = min(max(query.limit, HistoryQuery.limits.lowerBound), HistoryQuery.limits.upperBound)
        let stored = try statement(isNewestFirst ? Self.newestReplies : Self.oldestReplies)
            .bind(1, key).bind(2, id.description).bind(3, Schema.messageKey(room: key, range.first))
            .bind(4, Schema.messageKey(room: key, range.last)).bind(5, Int64(limit + 1))
            .rows { $0.message(in: room) }
        let known = Set(unmoved.map(\.sequence))
        let waiting = unmoved.filter { range.first <= $0.sequence && $0.sequence <= range.last }
        let all = (stored.filter { !known.contains($0.sequence) } + waiting).sorted { $0.sequence < $1.sequence }
        var budget = PageBudget()
        let ordered = isNewestFirst ? all.reversed() : all
        let taken = ordered.prefix(limit).prefix { budget.takes($0.encodedBytes) }
        let hasMore = taken.count < ordered.count
        return HistoryPage(
            messages: isNewestFirst ? taken.reversed() : Array(taken), hasMoreBefore: isNewestFirst && hasMore,
            hasMoreAfter: !isNewestFirst && hasMore, isFull: budget.isSpent)
    }

    private static let oldestReplies: StaticString = """
        SELECT * FROM current_messages WHERE key IN (
            SELECT key FROM messages WHERE room = ? AND reply_to = ? AND key BETWEEN ? AND ? ORDER BY key LIMIT ?)
        """
    private static let newestReplies: StaticString = """
        SELECT * FROM current_messages WHERE key IN (
            SELECT key FROM messages WHERE room = ? AND reply_to = ? AND key BETWEEN ? AND ? ORDER BY key DESC LIMIT ?)
        """

    func key(of room: RoomID) throws(StoreError) -> Int64? {
        try statement("SELECT key FROM rooms WHERE id = ?").bind(1, room.value).first { $0.integer(0) }
    }

    func message(at key: Int64, in room: RoomID) throws(StoreError) -> Message? {
        try statement("SELECT * FROM current_messages WHERE key = ?").bind(1, key).first { $0.message(in: room) }
    }
}

extension WriteSession {
    fileprivate func log(
        of room: RoomID, after sequence: SequenceNumber, limit: Int
    ) throws(StoreError) -> RoomLogPage {
        guard let key = try connection.key(of: room) else { return RoomLogPage() }
        let limit = min(max(limit, HistoryQuery.limits.lowerBound), HistoryQuery.limits.upperBound)
        let start = Schema.messageKey(room: key, min(max(sequence, 0), Schema.maximumSequence) + 1)
        let end = Schema.messageKey(room: key, Schema.maximumSequence)
        guard start <= end else { return RoomLogPage() }
        let keys = try connection.statement(
            """
            SELECT key FROM (SELECT key FROM messages WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3)
            UNION SELECT key FROM journal WHERE key BETWEEN ?1 AND ?2
            UNION SELECT key FROM (SELECT key FROM changes WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3)
            ORDER BY key LIMIT ?3
            """
        ).bind(1, start).bind(2, end).bind(3, Int64(limit + 1)).rows { $0.integer(0) }
        var page = RoomLogPage(hasMore: keys.count > limit)
        var budget = PageBudget()
        for key in keys.prefix(limit) {
            guard let entry = try entry(at: key, room) else { continue }
            guard budget.takes(entry.encodedBytes) else {
                page.hasMore = true
                break
            }
            page.entries.append(entry)
        }
        return page
    }

    private func entry(at key: Int64, _ room: RoomID) throws(StoreError) -> RoomLogEntry? {
        if let message = try message(at: key, room) { return .message(message) }
        return try change(at: key, room).map { .change($0) }
    }
}
