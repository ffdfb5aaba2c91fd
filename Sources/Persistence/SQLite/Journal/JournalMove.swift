import ChatDomain

/// Brings a part of the journal into the table of messages, a short transaction at a time.
///
/// The messages go ordered by room and number, so that a transaction touches few pages of the table however many rooms
/// talked. Then they get their positions in the search index, in the same order; in that order each transaction touches all pages of the
/// positions, so that such a transaction takes many. Their rows leave the journal in its own order at last. A crash in between
/// leaves messages in both places; moving a message again changes nothing.
struct JournalMove {
    enum Step: Equatable {
        case insert(ArraySlice<JournalEntry>)
        /// Give these their positions in the search index.
        case index(ArraySlice<JournalEntry>)
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
    /// Messages that get their positions in one transaction.
    static let indexedAtOnce = 512
    /// Rows a transaction removes. They are neighbours, so removing is cheaper.
    static let removedAtOnce: Int64 = 512

    /// The steps behind a commit of so many messages that make the journal shorter, although each commit makes it longer.
    static func steps(behind messages: Int) -> Int { 1 + 2 * messages / insertedAtOnce }

    private let entries: [JournalEntry]
    /// The first of the positions that its messages have in the search index.
    let firstDocument: Int64
    private var inserted = 0
    private var indexed = 0
    private var removed: Int64
    private let last: Int64

    /// - Parameters:
    ///   - entries: in the order of their arrival.
    ///   - document: the first of so many positions in the search index.
    init(_ entries: [JournalEntry], firstDocument document: Int64 = 0) {
        firstDocument = document
        self.entries = entries.numbered(from: document).inOrderOfRooms()
        let positions = entries.lazy.map(\.position)
        removed = (positions.min() ?? 1) &- 1
        last = positions.max() ?? 0
    }

    /// How many messages it moves.
    var count: Int { entries.count }

    /// The next transaction; nil at the end.
    var step: Step? {
        if inserted < entries.count {
            return .insert(nextEntries)
        }
        if indexed < entries.count {
            return .index(entries[indexed...].prefix(Self.indexedAtOnce))
        }
        return removed < last ? .remove(through: min(removed &+ Self.removedAtOnce, last)) : nil
    }

    private var nextEntries: ArraySlice<JournalEntry> {
        var bytes = 0
        return entries[inserted...].prefix(max(Self.insertedAtOnce, count / Self.insertions)).prefix { entry in
            defer { bytes += entry.bytes }
            return bytes == 0 || bytes + entry.bytes <= Self.bytesAtOnce
        }
    }

    mutating func didStep() {
        switch step {
        case .insert(let slice): inserted = slice.endIndex
        case .index(let slice): indexed = slice.endIndex
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

    /// The entries with positions in the search index.
    func numbered(from document: Int64) -> Self {
        enumerated().map { offset, entry in
            var entry = entry
            entry.document = document &+ Int64(offset)
            return entry
        }
    }
}
