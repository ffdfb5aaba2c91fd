import ChatDomain

/// The search index as it is written.
extension SQLiteConnection {
    func searchPositions() throws(StoreError) -> SearchPositions {
        func range(_ statement: Statement) throws(StoreError) -> ClosedRange<Int64>? {
            try statement.first { row in
                row.isNull(0) ? nil : min(row.integer(0), row.integer(1))...row.integer(1)
            } ?? nil
        }
        return SearchPositions(
            positions: try range(
                statement(
                    """
                    SELECT min(position), max(position) FROM (
                        SELECT min(position) AS position FROM search_places
                        UNION ALL SELECT max(position) FROM search_places
                        UNION ALL SELECT min(position) FROM search_documents
                        UNION ALL SELECT max(position) FROM search_documents)
                    """)),
            built: try range(statement("SELECT min(segment), max(segment) FROM search_segments")),
            hasBacklog: try statement("SELECT 1 FROM search_backlog").first { _ in true } ?? false)
    }

    /// Gives a message from before there was an index its position.
    func addOlderDocument(_ key: Int64, at position: Int64) throws(StoreError) {
        try statement("INSERT INTO search_documents(position, key) VALUES(?, ?) ON CONFLICT DO NOTHING")
            .bind(1, position).bind(2, key).run()
    }

    /// The position of a message; nil where it has none.
    func document(_ key: Int64) throws(StoreError) -> Int64? {
        try statement(
            """
            SELECT p.position FROM messages m JOIN message_ids i ON i.id = m.id
                JOIN search_places p ON p.position = i.position AND p.key = m.key WHERE m.key = ?1
            UNION ALL SELECT position FROM search_documents WHERE key = ?1 LIMIT 1
            """
        ).bind(1, key).first { $0.integer(0) }
    }

    // MARK: Building segments

    /// Adds the messages at these positions. Messages that were erased are not found.
    func readMessages(at positions: ClosedRange<Int64>, into build: inout SegmentBuild) throws(StoreError) {
        try statement(
            """
            SELECT d.position, m.key, m.author, m.text FROM indexed_messages d JOIN messages m ON m.key = d.key
            WHERE d.position BETWEEN ? AND ? AND m.text <> '' ORDER BY d.position
            """
        ).bind(1, positions.lowerBound).bind(2, positions.upperBound).each { row in
            build.add(
                row.bytes(3), author: row.bytes(2), room: row.integer(1) >> Schema.sequenceBits, at: row.integer(0))
            return true
        }
    }

    /// How many lists a statement writes. They are neighbours, so that the place of the first is looked for and the others follow.
    private static let listsAtOnce = 16

    /// Writes these of the lists.
    func write(_ lists: PostingLists, _ range: Range<Int>, of segment: Int64) throws(StoreError) {
        var list: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let isFull = range.upperBound - index >= Self.listsAtOnce
            let insert = try isFull ? listInsertions() : listInsertion()
            try insert.bind(1, segment)
            for place in 0..<(isFull ? Self.listsAtOnce : 1) {
                try lists.withList(at: index, using: &list) { term, documents throws(StoreError) in
                    try insert.bind(2 + 2 * Int32(place), text: term).bind(3 + 2 * Int32(place), bytes: documents)
                }
                index += 1
            }
            try insert.run()
        }
    }

    private func listInsertions() throws(StoreError) -> Statement {
        try statement(
            """
            INSERT INTO search_postings(segment, term, documents)
            VALUES (?1, ?2, ?3), (?1, ?4, ?5), (?1, ?6, ?7), (?1, ?8, ?9), (?1, ?10, ?11), (?1, ?12, ?13),
                (?1, ?14, ?15), (?1, ?16, ?17), (?1, ?18, ?19), (?1, ?20, ?21), (?1, ?22, ?23), (?1, ?24, ?25),
                (?1, ?26, ?27), (?1, ?28, ?29), (?1, ?30, ?31), (?1, ?32, ?33)
            ON CONFLICT DO UPDATE SET documents = excluded.documents
            """
        )
    }

    private func listInsertion() throws(StoreError) -> Statement {
        try statement(
            """
            INSERT INTO search_postings(segment, term, documents) VALUES(?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET documents = excluded.documents
            """
        )
    }

    func markBuilt(_ segment: Int64) throws(StoreError) {
        try statement("INSERT INTO search_segments VALUES(?) ON CONFLICT DO NOTHING").bind(1, segment).run()
    }

    func removePostings(of segment: Int64) throws(StoreError) {
        try statement("DELETE FROM search_postings WHERE segment = ?").bind(1, segment).run()
    }

    func isBuilt(_ segment: Int64) throws(StoreError) -> Bool {
        try statement("SELECT 1 FROM search_segments WHERE segment = ?").bind(1, segment).first { _ in true } ?? false
    }

    // MARK: Changing messages of built segments

    /// - Parameter term: in UTF-8.
    func add(_ position: Int64, to term: UnsafeRawBufferPointer) throws(StoreError) {
        try changeDocuments(of: term, at: position) { $0.insert(SearchSegment.document(position)) }
    }

    /// A term without messages leaves the index.
    ///
    /// - Parameter term: in UTF-8.
    func remove(_ position: Int64, from term: UnsafeRawBufferPointer) throws(StoreError) {
        try changeDocuments(of: term, at: position) { $0.remove(SearchSegment.document(position)) }
    }

    private func changeDocuments(
        of term: UnsafeRawBufferPointer, at position: Int64, _ change: (inout DocumentSet) -> Void
    ) throws(StoreError) {
        let segment = SearchSegment.of(position)
        var documents = try documents(of: listSelection().bind(1, segment).bind(2, lentText: term))
        change(&documents)
        if documents.isEmpty {
            try statement("DELETE FROM search_postings WHERE segment = ? AND term = ?")
                .bind(1, segment).bind(2, lentText: term).run()
        } else {
            try documents.stored.withUnsafeBufferPointer { stored throws(StoreError) in
                try listInsertion().bind(1, segment).bind(2, lentText: term)
                    .bind(3, lentBytes: UnsafeRawBufferPointer(stored)).run()
            }
        }
    }

    private func listSelection() throws(StoreError) -> Statement {
        try statement("SELECT documents FROM search_postings WHERE segment = ? AND term = ?")
    }

    /// - Parameter selection: see `listSelection`, bound.
    private func documents(of selection: Statement) throws(StoreError) -> DocumentSet {
        try selection.first { DocumentSet(stored: $0.bytes(0)) } ?? DocumentSet()
    }

    // MARK: Reading

    func documents(of term: SearchWord, in segment: Int64) throws(StoreError) -> DocumentSet {
        try documents(of: listSelection().bind(1, segment).bind(2, term.value))
    }

    func documents(ofPrefix word: SearchWord, in segment: Int64) throws(StoreError) -> DocumentSet {
        var all = DocumentSet()
        try statement("SELECT documents FROM search_postings WHERE segment = ? AND term >= ? AND term < ?")
            .bind(1, segment).bind(2, word.value).bind(3, SearchTerm.end(ofPrefix: word).value)
            .each { row in
                all.formUnion(DocumentSet(stored: row.bytes(0)))
                return true
            }
        return all
    }

    // MARK: Messages from before there was an index

    /// Where the messages begin that still have to be indexed, going back in time; nil when all are.
    func searchBacklog() throws(StoreError) -> SearchBacklog? {
        try statement("SELECT timestamp, key FROM search_backlog").first { row in
            SearchBacklog(timestamp: row.integer(0), key: row.integer(1))
        }
    }

    /// The messages next in the backlog, the newest first. Reads the whole table of messages, and keeps so many rows in memory.
    func keys(behind place: SearchBacklog, limit: Int) throws(StoreError) -> [SearchBacklog] {
        try statement(
            """
            SELECT timestamp, key FROM messages WHERE (timestamp, key) < (?, ?)
            ORDER BY timestamp DESC, key DESC LIMIT ?
            """
        ).bind(1, place.timestamp).bind(2, place.key).bind(3, Int64(limit)).rows { row in
            SearchBacklog(timestamp: row.integer(0), key: row.integer(1))
        }
    }

    /// - Parameter place: nil when nothing is left.
    func setSearchBacklog(_ place: SearchBacklog?) throws(StoreError) {
        guard let place else { return try statement("DELETE FROM search_backlog").run() }
        try statement("UPDATE search_backlog SET timestamp = ?, key = ?")
            .bind(1, place.timestamp).bind(2, place.key).run()
    }
}

/// A message's place in the order in which the messages of an older file are indexed.
struct SearchBacklog: Sendable {
    /// Milliseconds since the epoch.
    var timestamp: Int64
    var key: Int64
}
