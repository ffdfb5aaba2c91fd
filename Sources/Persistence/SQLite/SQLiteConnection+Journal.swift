import ChatDomain

extension SQLiteConnection {
    /// Copies messages of the journal into the table of messages, and moves their authors' read marks. Messages
    /// that are in the table already stay as they are.
    func copyToMessages(_ entries: some Collection<JournalEntry>) throws(StoreError) {
        // One statement for all: as many as there are messages would cost three times as much.
        try statement(
            """
            INSERT INTO messages(
                key, room, id, author, username, text, kind, timestamp, client_id, metadata, reply_to, mentions)
            SELECT j.key, j.key >> 32, j.id, j.author, j.username, j.text, j.kind, j.timestamp, j.client_id, j.metadata,
                j.reply_to, j.mentions
            FROM json_each(?) e CROSS JOIN journal j WHERE j.position = e.value ON CONFLICT DO NOTHING
            """
        ).bind(1, Self.json(positionsOf: entries)).run()
        if changes < entries.count {
            for entry in entries { try copyToMessages(entry) }
        }
        try moveReadMarks(entries)
    }

    /// Copies a message that is in the table already, or whose client id is.
    private func copyToMessages(_ entry: JournalEntry) throws(StoreError) {
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
    }

    private func moveReadMarks(_ entries: some Collection<JournalEntry>) throws(StoreError) {
        var marks: [JournalPart.Author: SequenceNumber] = [:]
        for entry in entries {
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

    /// An array of the entries' rows.
    private static func json(positionsOf entries: some Collection<JournalEntry>) -> String {
        var text = ""
        for entry in entries {
            text += text.isEmpty ? "[" : ","
            text += String(entry.position)
        }
        return text.isEmpty ? "[]" : text + "]"
    }

    /// Removes the journal's rows up to one. From here on the messages are found by their ids in `message_ids`, and have their positions
    /// in the search index.
    func removeFromJournal(through last: Int64, _ documents: DocumentsOfRows) throws(StoreError) {
        func run(_ statement: Statement) throws(StoreError) {
            try statement.bind(1, last).bind(2, documents.firstRow).bind(3, documents.first).run()
        }
        try run(
            statement(
                """
                INSERT INTO message_ids(id, key, position) SELECT id, key, position - ?2 + ?3 FROM journal
                WHERE position <= ?1 ORDER BY position
                ON CONFLICT DO UPDATE SET position = excluded.position WHERE key = excluded.key AND position IS NULL
                """))
        let identified = changes
        try run(
            statement(
                """
                INSERT INTO search_places(position, key) SELECT position - ?2 + ?3, key FROM journal
                WHERE position <= ?1 ORDER BY position ON CONFLICT DO NOTHING
                """))
        if changes != identified {
            try run(placesOfSharedIDs())
            try run(removalOfSurplusPlaces())
        }
        try statement("DELETE FROM journal WHERE position <= ?").bind(1, last).run()
    }

    /// Has messages found by their keys whose ids are others' already, which they cannot be, unless the file was changed by hand.
    private func placesOfSharedIDs() throws(StoreError) -> Statement {
        try statement(
            """
            INSERT INTO search_documents(position, key) SELECT j.position - ?2 + ?3, j.key FROM journal j
            WHERE j.position <= ?1 AND NOT EXISTS(SELECT 1 FROM message_ids i WHERE i.id = j.id AND i.key = j.key)
            ON CONFLICT DO NOTHING
            """)
    }

    /// Takes the positions back that are not those of `message_ids`: of messages that have another one.
    private func removalOfSurplusPlaces() throws(StoreError) -> Statement {
        try statement(
            """
            DELETE FROM search_places WHERE position IN (
                SELECT j.position - ?2 + ?3 FROM journal j WHERE j.position <= ?1 AND NOT EXISTS(
                    SELECT 1 FROM message_ids i
                    WHERE i.id = j.id AND i.key = j.key AND i.position = j.position - ?2 + ?3))
            """)
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
                guard !entries.isEmpty else { break }
                try copyToMessages(entries.inOrderOfRooms())
                for part in entries.neighbours {
                    let documents = DocumentsOfRows(firstRow: part[part.startIndex].position, first: positions.next)
                    let last = part[part.endIndex - 1].position
                    try removeFromJournal(through: last, documents)
                    positions.append(upTo: documents.document(ofRow: last) &+ 1)
                }
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
