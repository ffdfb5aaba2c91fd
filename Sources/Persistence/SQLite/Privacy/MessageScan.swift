import ChatDomain

/// Parts of a pass over the log of all rooms: first over the messages, then over the changes. A place is the key of the last row that
/// was looked at.
enum MessageScan {
    /// Rows that a part looks at, and rows that it finds at most.
    static let rows = 2000
    /// Each costs the writer a few changes of the search index.
    static let matches = 64
    /// Rooms that a part of a pass over rooms looks at.
    static let rooms = 200

    enum Place {
        case messages(after: Int64)
        case changes(after: Int64)

        /// A stored or given place; the beginning for what is none.
        init(_ cursor: String?) {
            let key = cursor.flatMap { Int64($0.dropFirst()) } ?? .min
            self = cursor?.first == "c" ? .changes(after: key) : .messages(after: key)
        }
    }

    /// How far a part got.
    struct Part {
        private var rows = 0
        private(set) var last: Int64 = 0
        private var isFull = false

        /// - Returns: whether another row is wanted.
        mutating func took(_ key: Int64, isFull: Bool) -> Bool {
            rows += 1
            (last, self.isFull) = (key, isFull)
            return !isFull
        }

        var isLast: Bool { !isFull && rows < MessageScan.rows }
    }

    /// A row that names a user to erase.
    enum Match: Sendable {
        case written(Int64)
        /// Another user's message whose text or list mentions the user.
        case mentioning(Int64)
        /// A message that the user reacted to.
        case reactedTo(Int64)
        /// A change that the user made or is listed in.
        case change(Int64)
    }
}

extension SQLiteConnection {
    /// The next rows that name the user.
    func rows(
        naming user: ErasedUser, at place: MessageScan.Place
    ) throws(StoreError) -> (matches: [MessageScan.Match], next: String?) {
        switch place {
        case .messages(let key): try messages(naming: user, after: key)
        case .changes(let key): try changes(naming: user.user, after: key)
        }
    }

    private func messages(
        naming user: ErasedUser, after place: Int64
    ) throws(StoreError) -> (matches: [MessageScan.Match], next: String?) {
        var matches: [MessageScan.Match] = []
        var part = MessageScan.Part()
        try statement(
            """
            SELECT key, author = ?2, instr(text, ?3) OR instr(char(31) || mentions || char(31), char(31) || ?2 || char(31)),
                EXISTS(SELECT 1 FROM message_states s WHERE s.key = m.key AND s.reactions IS NOT NULL)
                    AND EXISTS(SELECT 1 FROM reactions r WHERE r.message = m.key AND r.user = ?2)
            FROM messages m WHERE key > ?1 ORDER BY key LIMIT ?4
            """
        ).bind(1, place).bind(2, user.user.value).bind(3, user.mention).bind(4, Int64(MessageScan.rows)).each { row in
            let key = row.integer(0)
            if row.integer(1) != 0 {
                matches.append(.written(key))
            } else if row.integer(2) != 0 {
                matches.append(.mentioning(key))
            }
            if row.integer(3) != 0 { matches.append(.reactedTo(key)) }
            return part.took(key, isFull: matches.count >= MessageScan.matches)
        }
        return (matches, part.isLast ? "c\(Int64.min)" : "m\(part.last)")
    }

    private func changes(
        naming user: UserID, after place: Int64
    ) throws(StoreError) -> (matches: [MessageScan.Match], next: String?) {
        var matches: [MessageScan.Match] = []
        var part = MessageScan.Part()
        try statement(
            "SELECT key, user = ?2 OR successor IS ?2 FROM changes WHERE key > ?1 ORDER BY key LIMIT ?3"
        ).bind(1, place).bind(2, user.value).bind(3, Int64(MessageScan.rows)).each { row in
            if row.integer(1) != 0 { matches.append(.change(row.integer(0))) }
            return part.took(row.integer(0), isFull: matches.count >= MessageScan.matches)
        }
        return (matches, part.isLast ? nil : "c\(part.last)")
    }

    /// The next messages that the user wrote.
    func messages(by user: UserID, at place: MessageScan.Place) throws(StoreError) -> ExportedMessages {
        guard case .messages(let start) = place else { return ExportedMessages(messages: [], next: nil) }
        var keys: [Int64] = []
        var part = MessageScan.Part()
        try statement("SELECT key, author = ?2 FROM messages WHERE key > ?1 ORDER BY key LIMIT ?3")
            .bind(1, start).bind(2, user.value).bind(3, Int64(MessageScan.rows)).each { row in
                if row.integer(1) != 0 { keys.append(row.integer(0)) }
                return part.took(row.integer(0), isFull: keys.count >= MessageScan.matches)
            }
        var page = ExportedMessages(messages: [], next: part.isLast ? nil : "m\(part.last)")
        var budget = PageBudget()
        for key in keys {
            guard let message = try message(key) else { continue }
            guard budget.takes(message.encodedBytes) else {
                page.next = "m\(key &- 1)"
                break
            }
            page.messages.append(message)
        }
        return page
    }

    /// The next changes that the user made.
    func changes(by user: UserID, after place: Int64) throws(StoreError) -> ExportedChanges {
        var keys: [Int64] = []
        var part = MessageScan.Part()
        try statement("SELECT key, user = ?2 FROM changes WHERE key > ?1 ORDER BY key LIMIT ?3")
            .bind(1, place).bind(2, user.value).bind(3, Int64(MessageScan.rows)).each { row in
                if row.integer(1) != 0 { keys.append(row.integer(0)) }
                return part.took(row.integer(0), isFull: keys.count >= MessageScan.matches)
            }
        var page = ExportedChanges(changes: [], next: part.isLast ? nil : String(part.last))
        for key in keys {
            guard let row = try change(at: key), let message = try message(row.message) else { continue }
            page.changes.append(row.change(of: message))
        }
        return page
    }

    private func message(_ key: Int64) throws(StoreError) -> Message? {
        let room = try statement("SELECT id FROM rooms WHERE key = ?").bind(1, key >> Schema.sequenceBits)
            .first { RoomID(unchecked: $0.text(0)) }
        guard let room else { return nil }
        return try message(at: key, in: room)
    }

    /// The next messages that are older than their rooms keep them. The place is the key of a room.
    func expiredMessages(
        _ rule: RetentionRule, at now: Timestamp, after cursor: String?
    ) throws(StoreError) -> (keys: [Int64], next: String?) {
        let rooms = try statement(
            """
            SELECT r.key, coalesce(e.sequence, 0), r.retention_days FROM rooms r LEFT JOIN expiry e ON e.room = r.key
            WHERE r.key > ? ORDER BY r.key LIMIT ?
            """
        ).bind(1, cursor.flatMap { Int64($0) } ?? .min).bind(2, Int64(MessageScan.rooms)).rows { row in
            (
                key: row.integer(0), expired: row.integer(1), days: RoomRevision.retention(row.optionalInteger(2))
            )
        }
        var keys: [Int64] = []
        for room in rooms {
            guard let limit = rule.limit(roomDays: room.days, at: now) else { continue }
            try statement("SELECT key, timestamp FROM messages WHERE key > ? AND key <= ? ORDER BY key LIMIT ?")
                .bind(1, Schema.messageKey(room: room.key, room.expired))
                .bind(2, Schema.messageKey(room: room.key, Schema.maximumSequence))
                .bind(3, Int64(MessageScan.matches)).each { row in
                    guard row.integer(1) < limit.milliseconds else { return false }
                    keys.append(row.integer(0))
                    return true
                }
            // The same room again: it may have more.
            if keys.count >= MessageScan.matches { return (keys, String(room.key &- 1)) }
        }
        return (keys, rooms.count < MessageScan.rooms ? nil : rooms.last.map { String($0.key) })
    }

    /// Direct rooms of the user, in the order of their ids.
    func directRooms(of user: UserID, after cursor: RoomID?, limit: Int) throws(StoreError) -> [RoomID] {
        var found: [RoomID] = []
        try statement("SELECT id FROM rooms WHERE id > ? AND id < 'direct;' ORDER BY id")
            .bind(1, cursor?.value ?? DirectRoom.prefix).each { row in
                let room = RoomID(unchecked: row.text(0))
                if let (a, b) = DirectRoom.participants(of: room), a == user || b == user { found.append(room) }
                return found.count < limit
            }
        return found
    }
}
