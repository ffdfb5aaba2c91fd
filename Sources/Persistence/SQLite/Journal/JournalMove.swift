import ChatDomain

/// Brings a part of the journal into the table of messages, a short transaction at a time.
///
/// The messages go ordered by room and number, so that a transaction touches few pages of the table however many rooms
/// talked. Then their rows leave the journal in its own order, and get their positions in the search index with that. A crash in between
/// leaves messages in both places; moving a message again changes nothing.
struct JournalMove {
    enum Step: Equatable {
        case insert(ArraySlice<JournalEntry>)
        /// Remove the journal's rows up to this one.
        case remove(through: Int64)
    }

    /// Messages a transaction inserts: some tenths of a millisecond, which a commit that comes meanwhile has to wait.
    static let insertedAtOnce = 64
    /// Transactions that insert a move's messages, where those are more than `insertedAtOnce` for each: many messages mean commits of many,
    /// and longer transactions write fewer pages for each of them.
    static let insertions = 32
    /// Bytes a transaction inserts at most, if it inserts more than one message.
    static let bytesAtOnce = 256 << 10
    /// Rows a transaction removes. They are neighbours, so removing is cheaper.
    static let removedAtOnce: Int64 = 512

    /// The steps behind a commit of so many messages that make the journal shorter, although each commit makes it longer.
    static func steps(behind messages: Int) -> Int { 1 + 2 * messages / insertedAtOnce }

    private let entries: [JournalEntry]
    /// The positions that its messages get in the search index.
    let documents: DocumentsOfRows
    private var inserted = 0
    private var removed: Int64
    private let last: Int64

    /// - Parameters:
    ///   - entries: in the order of their arrival.
    ///   - document: the first of their positions in the search index.
    init(_ entries: [JournalEntry], firstDocument document: Int64 = 0) {
        self.entries = entries.inOrderOfRooms()
        let positions = entries.lazy.map(\.position)
        let first = positions.min() ?? 1
        removed = first &- 1
        last = positions.max() ?? 0
        documents = DocumentsOfRows(firstRow: first, first: document)
    }

    /// The position in the search index behind those of its messages.
    var endOfDocuments: Int64 { documents.document(ofRow: last) &+ 1 }

    /// The next transaction; nil at the end.
    var step: Step? {
        if inserted < entries.count {
            return .insert(nextEntries)
        }
        return removed < last ? .remove(through: min(removed &+ Self.removedAtOnce, last)) : nil
    }

    private var nextEntries: ArraySlice<JournalEntry> {
        var bytes = 0
        return entries[inserted...].prefix(max(Self.insertedAtOnce, entries.count / Self.insertions)).prefix { entry in
            defer { bytes += entry.bytes }
            return bytes == 0 || bytes + entry.bytes <= Self.bytesAtOnce
        }
    }

    mutating func didStep() {
        switch step {
        case .insert(let slice): inserted = slice.endIndex
        case .remove(let position): removed = position
        case nil: break
        }
    }
}

extension [JournalEntry] {
    /// The entries as the table of messages is ordered.
    func inOrderOfRooms() -> Self {
        // Their numbers are sorted and not the entries, which are large and hold a user's id each.
        let numbers = enumerated().map { index, entry in (entry.room, entry.sequence, index) }
        return numbers.sorted { $0 < $1 }.map { self[$0.2] }
    }

    /// The entries whose rows follow one another, in the order in which they are here.
    var neighbours: [ArraySlice<JournalEntry>] {
        var parts: [ArraySlice<JournalEntry>] = []
        var start = startIndex
        for index in indices.dropFirst() where self[index].position != self[index - 1].position &+ 1 {
            parts.append(self[start..<index])
            start = index
        }
        return isEmpty ? [] : parts + [self[start...]]
    }
}

/// The positions in the search index of rows of the journal: they follow one another as the rows do.
struct DocumentsOfRows: Equatable {
    var firstRow: Int64
    /// The position of the first row.
    var first: Int64

    func document(ofRow row: Int64) -> Int64 { first &+ (row &- firstRow) }
}
