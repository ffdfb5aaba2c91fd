import ChatDomain

extension SQLiteConnection {
    /// Copies messages of the journal into the table of messages, and moves their authors' read marks. Messages
    /// that are in the table already stay as they are.
    func copyToMessages(_ entries: some Sequence<JournalEntry>) throws(StoreError) {
        var marks: [JournalPart.Author: SequenceNumber] = [:]
        for entry in entries {
            // A client id that another message has already cannot be here, unless the file was changed by hand; the
            // message is kept all the same.
            try statement(
                """
                INSERT INTO messages(
                    key, room, id, author, username, text, kind, timestamp, client_id, metadata, reply_to,
                    mentions)
                SELECT key, key >> 32, id, author, username, text, kind, timestamp, CASE
                    WHEN client_id IS NULL OR EXISTS(
                        SELECT 1 FROM messages m
                        WHERE m.room = j.key >> 32 AND m.author = j.author AND m.client_id = j.client_id) THEN NULL
                    ELSE client_id END, metadata, reply_to, mentions
                FROM journal j WHERE position = ? ON CONFLICT DO NOTHING
                """
            ).bind(1, entry.position).run()
            if let document = entry.document {
                try addDocument(Schema.messageKey(room: entry.room, entry.sequence), at: document)
            }
            let author = JournalPart.Author(room: entry.room, user: entry.author)
            marks[author] = max(entry.sequence, marks[author] ?? 0)
        }
        for (author, sequence) in marks {
            try statement(
                """
                INSERT INTO read_marks(room, user, sequence)
                SELECT key, ?2, ?3 FROM rooms WHERE key = ?1 AND state = 1 AND history_base < ?3
                ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence
                """
            ).bind(1, author.room).bind(2, author.user.value).bind(3, sequence).run()
        }
    }

    /// Removes the journal's rows up to a position; from here on the messages are found by their ids in `message_ids`.
    func removeFromJournal(through position: Int64) throws(StoreError) {
        try statement(
            "INSERT OR IGNORE INTO message_ids SELECT id, key FROM journal WHERE position <= ? ORDER BY position"
        ).bind(1, position).run()
        try statement("DELETE FROM journal WHERE position <= ?").bind(1, position).run()
    }

    /// How many messages are in the journal alone.
    func countUnmoved() throws(StoreError) -> Int {
        guard try hasJournal() else { return 0 }
        return try statement("SELECT count(*) FROM journal WHERE key NOT IN (SELECT key FROM messages)")
            .first { Int($0.integer(0)) } ?? 0
    }

    /// Moves all of the journal, in one transaction. A file of an older version has none.
    func moveWholeJournal() throws(StoreError) {
        guard try hasJournal() else { return }
        try statement("BEGIN IMMEDIATE").run()
        do throws(StoreError) {
            var positions = try searchPositions()
            while true {
                let entries = try oldestOfJournal()
                guard let last = entries.last else { break }
                let numbered = entries.numbered(from: positions.append(entries.count))
                try copyToMessages(numbered.sorted(by: JournalEntry.isBefore))
                try removeFromJournal(through: last.position)
            }
            try statement("COMMIT").run()
        } catch {
            if isInTransaction { _ = try? statement("ROLLBACK").run() }
            throw error
        }
    }

    private func hasJournal() throws(StoreError) -> Bool {
        try statement("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'journal'").first { _ in true }
            ?? false
    }

    private func oldestOfJournal() throws(StoreError) -> [JournalEntry] {
        try statement("SELECT position, key, author FROM journal ORDER BY position LIMIT 4096").rows { row in
            JournalEntry(
                position: row.integer(0), room: row.integer(1) >> Schema.sequenceBits,
                sequence: Schema.sequence(ofKey: row.integer(1)), author: UserID(unchecked: row.text(2)), bytes: 0)
        }
    }
}
