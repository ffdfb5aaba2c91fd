import ChatDomain

/// One search on a reader's connection, inside of one transaction.
///
/// It goes back in time: through the messages in the journal, then through the index, a segment at a time. It ends with a full page,
/// or when it has cost enough.
struct SearchRun {
    private let connection: SQLiteConnection
    private let search: MessageSearch
    private let unmoved: UnmovedSnapshot
    private var rooms: [Int64: ReadableRoom?] = [:]
    private var roomKeys: [RoomID: Int64?] = [:]
    private var budget = SearchBudget()
    private var found: SearchResults

    private struct ReadableRoom {
        var key: Int64
        var id: RoomID
        /// Messages at or below this are of an earlier room.
        var base: SequenceNumber
    }

    private struct Document {
        var position: Int64
        /// Of the message.
        var key: Int64
    }

    /// - Parameter unmoved: from before the transaction began.
    init(_ search: MessageSearch, unmoved: UnmovedSnapshot, on connection: SQLiteConnection) {
        self.search = search
        found = SearchResults(limit: search.limit)
        self.unmoved = unmoved
        self.connection = connection
    }

    /// - Throws: `.rejected` for a cursor of another store.
    mutating func page() throws(StoreError) -> SearchPage {
        var cursor: Cursor?
        switch try start() {
        case .unmoved(let index):
            cursor = try searchUnmoved(from: index)
            if cursor == nil { cursor = try searchIndex(below: .max) }
        case .indexed(let position): cursor = try searchIndex(below: position)
        }
        return SearchPage(messages: found.messages, cursor: cursor.map { SearchCursor($0.text) })
    }

    // MARK: Where the page begins

    /// The last message that was looked at.
    private enum Cursor {
        case message(key: Int64)
        case position(Int64)

        init?(_ text: String) {
            guard let number = Int64(text.dropFirst()) else { return nil }
            switch text.first {
            case "m": self = .message(key: number)
            case "p": self = .position(number)
            default: return nil
            }
        }

        var text: String {
            switch self {
            case .message(let key): "m\(key)"
            case .position(let position): "p\(position)"
            }
        }
    }

    private enum Start {
        case unmoved(from: Int)
        case indexed(below: Int64)
    }

    private func start() throws(StoreError) -> Start {
        guard let given = search.cursor else { return .unmoved(from: 0) }
        switch Cursor(given.text) {
        case .position(let position): return .indexed(below: position)
        case .message(let key):
            let room = try connection.statement("SELECT id FROM rooms WHERE key = ?")
                .bind(1, key >> Schema.sequenceBits).first { RoomID(unchecked: $0.text(0)) }
            let number = Schema.sequence(ofKey: key)
            if let index = unmoved.messages.firstIndex(where: { $0.sequence == number && $0.roomID == room }) {
                return .unmoved(from: index + 1)
            }
            if let position = try connection.document(key) { return .indexed(below: position) }
            throw .rejected(reason: "the search has no such cursor")
        case nil: throw .rejected(reason: "the search has no such cursor")
        }
    }

    // MARK: The journal

    /// - Returns: where the next page begins, if the page ends here.
    private mutating func searchUnmoved(from start: Int) throws(StoreError) -> Cursor? {
        var last: Cursor?
        for message in unmoved.messages.dropFirst(start) {
            if let id = search.room, message.roomID != id { continue }
            guard let room = try room(message.roomID), message.sequence > room.base else { continue }
            guard budget.takesText() else { return last }
            if search.accepts(message), !found.take(message) { return last }
            last = .message(key: Schema.messageKey(room: room.key, message.sequence))
        }
        return nil
    }

    // MARK: The index

    private mutating func searchIndex(below start: Int64) throws(StoreError) -> Cursor? {
        var below = start
        while let newest = try newestPosition(below: below) {
            guard budget.takesSegment() else { return .position(below) }
            let segment = SearchSegment.of(newest)
            for document in try documents(in: segment, below: below) {
                guard let message = try message(of: document) else { continue }
                if search.accepts(message), !found.take(message) { return .position(below) }
                below = document.position
                guard !budget.isSpent else { return .position(below) }
            }
            below = SearchSegment.positions(segment).lowerBound
        }
        return nil
    }

    private func newestPosition(below position: Int64) throws(StoreError) -> Int64? {
        try connection.statement(
            "SELECT position FROM indexed_messages WHERE position < ? ORDER BY position DESC LIMIT 1"
        )
        .bind(1, position).first { $0.integer(0) }
    }

    /// The message, unless the reader may not read it, or it was found in the journal.
    private mutating func message(of document: Document) throws(StoreError) -> Message? {
        let sequence = Schema.sequence(ofKey: document.key)
        guard let room = try room(document.key >> Schema.sequenceBits), sequence > room.base,
            sequence < unmoved.start(of: room.id), budget.takesText()
        else { return nil }
        return try connection.statement("SELECT * FROM current_messages WHERE key = ?").bind(1, document.key).first {
            $0.message(in: room.id)
        }
    }

    /// Documents past which a segment's places are read at once.
    private static let fewDocuments = 64

    /// The documents of a segment that may be looked for, the newest first.
    private mutating func documents(in segment: Int64, below position: Int64) throws(StoreError) -> [Document] {
        let positions = SearchSegment.positions(segment)
        let last = min(positions.upperBound, position &- 1)
        guard try connection.isBuilt(segment) else {
            let all = try allDocuments(positions.lowerBound, last)
            guard let id = search.room else { return all }
            let key = try room(id)?.key
            return all.filter { $0.key >> Schema.sequenceBits == key }
        }
        let candidates = try candidates(in: segment)
        let count = candidates.count
        guard count <= Self.fewDocuments else {
            return try allDocuments(positions.lowerBound, last)
                .filter { candidates.contains(SearchSegment.document($0.position)) }
        }
        var documents: [Document] = []
        for position in candidates.descending.map({ positions.lowerBound + Int64($0) }) where position <= last {
            let document = try connection.statement("SELECT key FROM indexed_messages WHERE position = ?")
                .bind(1, position).first { Document(position: position, key: $0.integer(0)) }
            if let document { documents.append(document) }
        }
        return documents
    }

    private mutating func allDocuments(_ first: Int64, _ last: Int64) throws(StoreError) -> [Document] {
        budget.takeList()
        return try connection.statement(
            "SELECT position, key FROM indexed_messages WHERE position BETWEEN ? AND ? ORDER BY position DESC"
        ).bind(1, first).bind(2, last).rows { Document(position: $0.integer(0), key: $0.integer(1)) }
    }

    /// Documents that have all the words, in whatever order.
    private mutating func candidates(in segment: Int64) throws(StoreError) -> DocumentSet {
        var terms: [(SearchWord, isPrefix: Bool)] = []
        if let id = search.room { terms.append((SearchTerm.room(try room(id)?.key ?? 0), false)) }
        if let author = search.author { terms.append((SearchTerm.author(author), false)) }
        for term in search.query.terms {
            terms += term.words.dropLast().map { ($0, false) }
            if let last = term.words.last { terms.append((last, term.isPrefix)) }
        }
        var candidates: DocumentSet?
        for (word, isPrefix) in terms {
            let documents =
                try isPrefix
                ? connection.documents(ofPrefix: word, in: segment) : connection.documents(of: word, in: segment)
            if candidates == nil { candidates = documents } else { candidates?.formIntersection(documents) }
            if candidates?.isEmpty ?? true { break }
        }
        return candidates ?? DocumentSet()
    }

    // MARK: Rooms

    private mutating func room(_ id: RoomID) throws(StoreError) -> ReadableRoom? {
        if let known = roomKeys[id] {
            guard let key = known else { return nil }
            return try room(key)
        }
        let key = try connection.statement("SELECT key FROM rooms WHERE id = ?").bind(1, id.value).first {
            $0.integer(0)
        }
        roomKeys[id] = .some(key)
        guard let key else { return nil }
        return try room(key)
    }

    /// The room, if the reader may read it.
    private mutating func room(_ key: Int64) throws(StoreError) -> ReadableRoom? {
        if let known = rooms[key] { return known }
        let room = try connection.statement(
            """
            SELECT id, history_base FROM rooms r WHERE key = ?1 AND state = 1 AND (
                id = ?3 OR EXISTS(SELECT 1 FROM participants p WHERE p.room = r.key AND p.user = ?2)
                OR kind = 'group' AND private = 0 AND NOT EXISTS(
                    SELECT 1 FROM standings s WHERE s.room = r.key AND s.kind = 'ban' AND s.user = ?2
                        AND (s.until IS NULL OR s.until > ?4)))
            """
        ).bind(1, key).bind(2, search.reader.value).bind(3, search.room?.value).bind(4, search.time.milliseconds)
            .first { row in
                ReadableRoom(key: key, id: RoomID(unchecked: row.text(0)), base: MessageNumbers.mark(row.integer(1)))
            }
        let readable = room.flatMap { search.room == nil || $0.id == search.room ? $0 : nil }
        rooms[key] = .some(readable)
        return readable
    }
}

/// What one search may cost: together some tens of milliseconds.
struct SearchBudget {
    private var texts = 4000
    private var segments = 5000
    /// Segments of which all places are read.
    private var lists = 200

    var isSpent: Bool { texts <= 0 || segments <= 0 || lists <= 0 }

    mutating func takesText() -> Bool {
        guard texts > 0 else { return false }
        texts -= 1
        return true
    }

    mutating func takesSegment() -> Bool {
        guard !isSpent else { return false }
        segments -= 1
        return true
    }

    mutating func takeList() { lists -= 1 }
}
