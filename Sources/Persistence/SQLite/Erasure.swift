import ChatDomain

/// When the log is rid of what is left of erased texts.
///
/// Deleting a text overwrites it where it is (`secure_delete`), and no page of the database file has another copy (`ClearedPages`).
/// The log has copies. It is copied into the database and emptied behind the acknowledgement.
struct Erasure {
    /// Between the end of one run and the start of the next, so that many deletions share one.
    static let interval: Duration = .seconds(1)
    /// Between two attempts to empty a log that a reader still needs.
    static let retryDelay: Duration = .milliseconds(100)

    private var isUncommitted = false
    private var isOwed: Bool
    private var isUnderWay = false
    private var due = ContinuousClock.now

    /// - Parameter isOwed: whether an earlier process did not come to it.
    init(isOwed: Bool) { self.isOwed = isOwed }

    /// Whether there is something to do, now or later.
    var isPending: Bool { isOwed || isUnderWay }
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

    /// Whether to empty the log now.
    mutating func begin(at now: ContinuousClock.Instant) -> Bool {
        guard isDue(at: now) else { return false }
        if !isUnderWay { (isOwed, isUnderWay) = (false, true) }
        return true
    }

    /// - Parameter isEmpty: whether the log could be emptied.
    /// - Returns: whether nothing is owed any more.
    mutating func didEmptyLog(_ isEmpty: Bool, at now: ContinuousClock.Instant) -> Bool {
        due = now + (isEmpty ? Self.interval : Self.retryDelay)
        if isEmpty { isUnderWay = false }
        return isEmpty && !isOwed
    }

    /// It failed, and is tried again.
    mutating func failed(at now: ContinuousClock.Instant) { due = now + Self.interval }
}

extension WriteSession {
    /// The row of `settlements` that is there while an erasure is owed.
    private static let owedKey: Int64 = 2
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

    /// Empties the log if an erasure is due.
    ///
    /// - Throws: `.unavailable`; the transaction must be rolled back then, and it is tried again.
    func eraseSome(at now: ContinuousClock.Instant) throws(StoreError) {
        guard erasure.begin(at: now) else { return }
        let isEmpty = try connection.emptyLog()
        if isEmpty {
            // The pages in memory still have the copies that the checkpoint left out of the file; the next change of such a page would
            // write them into the log.
            connection.forgetPages()
            reserveLog(frames: Self.reservedFrames)
        }
        guard erasure.didEmptyLog(isEmpty, at: now) else { return }
        try begin(flushing: false)
        try connection.statement("DELETE FROM settlements WHERE key = ?").bind(1, Self.owedKey).run()
        try commit()
    }
}
