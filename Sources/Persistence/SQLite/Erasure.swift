import ChatDomain

/// When the files are rid of what is left of erased texts, and the next step of that.
///
/// Deleting a text overwrites it where it is. Copies are left in free pages, where rows of the journal were before they were moved,
/// and in the log. The free pages are overwritten, and the log is emptied, behind the acknowledgement and a step at a time.
struct Erasure {
    enum Step {
        /// Fill free pages with zeros.
        case overwrite
        /// Make them free again.
        case release
        case emptyLog
    }

    /// Between the end of one run and the start of the next, so that many deletions share one.
    static let interval: Duration = .seconds(1)
    /// Between two attempts to empty a log that a reader still needs.
    static let retryDelay: Duration = .milliseconds(100)
    /// Pages that one step overwrites: about two milliseconds.
    static let pagesAtOnce = 256

    private var isUncommitted = false
    private var isOwed: Bool
    private(set) var step: Step?
    private var due = ContinuousClock.now

    /// - Parameter isOwed: whether an earlier process did not come to it.
    init(isOwed: Bool) { self.isOwed = isOwed }

    /// Whether there is something to do, now or later.
    var isPending: Bool { isOwed || step != nil }
    func isDue(at now: ContinuousClock.Instant) -> Bool { isPending && due <= now }
    /// How long until something is due.
    func delay(at now: ContinuousClock.Instant) -> Duration { max(due - now, .zero) }

    /// The transaction under way erases a text.
    mutating func note() { isUncommitted = true }

    mutating func committed() {
        isOwed = isOwed || isUncommitted
        isUncommitted = false
    }

    mutating func rolledBack() { isUncommitted = false }

    /// The step to take now; nil while none is due.
    mutating func begin(at now: ContinuousClock.Instant) -> Step? {
        guard isDue(at: now) else { return nil }
        if step == nil { (isOwed, step) = (false, .overwrite) }
        return step
    }

    mutating func didOverwriteAll() { step = .release }
    mutating func didRelease() { step = .emptyLog }

    /// - Parameter isEmpty: whether the log could be emptied.
    /// - Returns: whether nothing is owed any more.
    mutating func didEmptyLog(_ isEmpty: Bool, at now: ContinuousClock.Instant) -> Bool {
        due = now + (isEmpty ? Self.interval : Self.retryDelay)
        if isEmpty { step = nil }
        return isEmpty && !isOwed
    }

    /// A step failed; it is tried again.
    mutating func failed(at now: ContinuousClock.Instant) { due = now + Self.interval }
}

extension WriteSession {
    /// The row of `settlements` that is there while an erasure is owed.
    private static let owedKey: Int64 = 2
    private static let pageBytes = 4096
    /// 4 MiB: zeros for the whole log would take longer than the erasure. Beyond that the log grows with its commits.
    private static let reservedFrames = 1024

    static func owesErasure(_ connection: SQLiteConnection) throws(StoreError) -> Bool {
        try connection.statement("SELECT 1 FROM settlements WHERE key = ?").bind(1, owedKey).first { _ in true }
            ?? false
    }

    /// The transaction under way erases a text, of which copies may be left in the files.
    func noteErasure() throws(StoreError) {
        erasure.note()
        try connection.statement("INSERT INTO settlements VALUES(?, 1) ON CONFLICT DO NOTHING")
            .bind(1, Self.owedKey).run()
    }

    /// Takes the next step of an erasure that is due.
    ///
    /// - Throws: `.unavailable`; the transaction must be rolled back then, and the step is taken again.
    func eraseSome(at now: ContinuousClock.Instant) throws(StoreError) {
        switch erasure.begin(at: now) {
        case .overwrite: try overwriteFreePages()
        case .release:
            try begin(flushing: false)
            try connection.statement("DELETE FROM overwritten").run()
            try commit()
            erasure.didRelease()
        case .emptyLog:
            let isEmpty = try connection.emptyLog()
            if isEmpty { reserveLog(frames: Self.reservedFrames) }
            guard erasure.didEmptyLog(isEmpty, at: now) else { return }
            try begin(flushing: false)
            try connection.statement("DELETE FROM settlements WHERE key = ?").bind(1, Self.owedKey).run()
            try commit()
        case nil: break
        }
    }

    private func overwriteFreePages() throws(StoreError) {
        let free = try connection.statement("PRAGMA freelist_count").first { Int($0.integer(0)) } ?? 0
        guard free > 0 else { return erasure.didOverwriteAll() }
        // A page more than are free, so that each step takes one at least.
        let bytes = (min(free, Erasure.pagesAtOnce) + 1) * Self.pageBytes
        try begin(flushing: false)
        try connection.statement("INSERT INTO overwritten VALUES(zeroblob(?))").bind(1, Int64(bytes)).run()
        try commit()
    }
}
