public import ChatDomain
import Workers

/// Erasing and exporting. Readers look for what is to be erased, so that the writer is only held up by the changes.
extension SQLiteStore {
    // MARK: Users

    public func eraseRecords(of user: ErasedUser) async throws(StoreError) -> ErasureSlice {
        // What the journal still moves would bring the read marks of the user's messages back.
        try await moveJournal()
        return try await write { session throws(StoreError) in
            ErasureSlice(rooms: try session.eraseRecords(of: user), next: nil)
        }
    }

    public func directRooms(
        of user: UserID, after cursor: RoomID?, limit: Int
    ) async throws(StoreError) -> [RoomID] {
        try await read { connection throws(StoreError) in
            try connection.directRooms(of: user, after: cursor, limit: limit)
        }
    }

    public func moveDirectRoom(_ room: RoomID, of user: ErasedUser) async throws(StoreError) -> ErasureSlice {
        guard let new = user.neutralRoom(of: room) else { return ErasureSlice(next: nil) }
        try await moveJournal()
        return try await write { session throws(StoreError) in
            try session.moveDirectRoom(room, to: new, of: user)
            return ErasureSlice(rooms: [new], next: nil)
        }
    }

    public func eraseMessages(of user: ErasedUser, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        if cursor == nil { try await moveJournal() }
        let found = try await read { connection throws(StoreError) in
            try connection.rows(naming: user, at: MessageScan.Place(cursor))
        }
        guard !found.matches.isEmpty else { return ErasureSlice(next: found.next) }
        return try await write { session throws(StoreError) in
            var slice = try session.erase(found.matches, of: user)
            slice.next = found.next
            return slice
        }
    }

    // MARK: Rooms

    public func eraseMessages(of room: RoomID, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        if cursor == nil { try await moveJournal() }
        return try await write { session throws(StoreError) in try session.eraseMessages(of: room) }
    }

    public func eraseExpiredMessages(
        _ rule: RetentionRule, at now: Timestamp, after cursor: String?
    ) async throws(StoreError) -> ErasureSlice {
        if cursor == nil { try await moveJournal() }
        let found = try await read { connection throws(StoreError) in
            try connection.expiredMessages(rule, at: now, after: cursor)
        }
        guard !found.keys.isEmpty else { return ErasureSlice(next: found.next) }
        return try await write { session throws(StoreError) in
            var slice = try session.expire(found.keys)
            slice.next = found.next
            return slice
        }
    }

    /// Rows that are erased are overwritten where they lie. The writer empties the log behind that.
    public func purgeErased() async throws(StoreError) {
        try await moveJournal()
        try await write { session throws(StoreError) in try session.noteErasure() }
        try await wait(reason: "a reader needs the log") { session throws(StoreError) in !session.erasure.isPending }
    }

    // MARK: Exporting

    public func rooms(knowing user: UserID, after cursor: RoomID?, limit: Int) async throws(StoreError) -> [RoomID] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                """
                SELECT id FROM rooms WHERE id > ?2 AND state = 1 AND (
                    owner = ?1 OR key IN (SELECT room FROM participants WHERE user = ?1))
                ORDER BY id LIMIT ?3
                """
            ).bind(1, user.value).bind(2, cursor?.value ?? "").bind(3, Int64(max(0, limit)))
                .rows { RoomID(unchecked: $0.text(0)) }
        }
    }

    public func messages(of user: UserID, after cursor: String?) async throws(StoreError) -> ExportedMessages {
        if cursor == nil { try await moveJournal() }
        return try await read { connection throws(StoreError) in
            try connection.messages(by: user, at: MessageScan.Place(cursor))
        }
    }

    public func changes(by user: UserID, after cursor: String?) async throws(StoreError) -> ExportedChanges {
        if cursor == nil { try await moveJournal() }
        return try await read { connection throws(StoreError) in
            try connection.changes(by: user, after: cursor.flatMap { Int64($0) } ?? .min)
        }
    }

    // MARK: Waiting for the writer

    /// The writer moves its journal about every second.
    private static let attempts = 400
    private static let pause: Duration = .milliseconds(50)

    /// Returns once all messages that are in the journal now are in the table of messages alone.
    private func moveJournal() async throws(StoreError) {
        guard let newest = try await write({ session throws(StoreError) in try session.connection.newestOfJournal() })
        else { return }
        try await wait(reason: "the journal is not moved") { session throws(StoreError) in
            try !session.connection.isInJournal(newest)
        }
    }

    /// Asks on the writer's thread, which lets readers know of a move at its end.
    private func wait(
        reason: String, until condition: @escaping @Sendable (WriteSession) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        for _ in 0..<Self.attempts {
            if try await write(condition) { return }
            try? await Task.sleep(for: Self.pause)
        }
        throw .unavailable(reason: reason)
    }
}

private struct JournalRow: Sendable {
    var position: Int64
    var id: MessageID
}

extension SQLiteConnection {
    /// The newest row of the journal; nil where it is empty.
    fileprivate func newestOfJournal() throws(StoreError) -> JournalRow? {
        try statement("SELECT position, id FROM journal ORDER BY position DESC LIMIT 1").first { row in
            JournalRow(position: row.integer(0), id: row.messageID(1))
        }
    }

    /// Positions are used again, ids are not.
    fileprivate func isInJournal(_ row: JournalRow) throws(StoreError) -> Bool {
        try statement("SELECT 1 FROM journal WHERE position = ? AND id = ?").bind(1, row.position).bind(2, row.id)
            .first { _ in true } ?? false
    }
}
