import ChatDomain

/// The writing side of the database: its one connection, and what is remembered between transactions.
final class WriteSession {
    let connection: SQLiteConnection
    let options: StoreOptions
    var rooms = RoomCache()
    var journal = Journal()
    var erasure: Erasure
    let unmoved: UnmovedMessages
    var searchPositions: SearchPositions
    var movedTexts = MovedTexts()
    /// The segment of the search index that is being built.
    var segmentBuild: SegmentBuild?
    private let durability: SQLiteStore.Durability
    private let path: String
    /// Whether SQLite waits for the flush of a commit.
    private var isFlushing: Bool

    /// Opens the file, sets it up, brings its schema up to date and moves what an earlier session left in the journal.
    init(
        path: String, options: StoreOptions, durability: SQLiteStore.Durability, unmoved: UnmovedMessages
    ) throws(StoreError) {
        self.options = options
        self.durability = durability
        self.unmoved = unmoved
        self.path = path
        isFlushing = durability == .full
        connection = try SQLiteConnection(path: path, mode: .readWrite)
        // Checkpoints are the writer's own affair, see `Checkpointer`. Deleted rows and freed pages are overwritten with zeros.
        try connection.execute(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = \(durability.rawValue);
            PRAGMA secure_delete = ON; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;
            """)
        let isNew = try connection.isEmpty()
        try Schema.migrate(connection)
        if isNew { try connection.markFreeOfRemains() }
        erasure = Erasure(isOwed: try Self.owesErasure(connection))
        try connection.moveWholeJournal()
        searchPositions = try connection.searchPositions()
        unmoved.removeAll()
        if durability == .full { try commitMarker() }
        reserveLog(frames: CheckpointPolicy.frames * 5 / 4)
    }

    /// Gives the log a size, where commits are flushed.
    func reserveLog(frames: Int) {
        guard durability == .full else { return }
        LogSpace.reserve(frames * Self.bytesPerFrame, in: path + "-wal")
    }

    /// A page and its header in the log.
    private static let bytesPerFrame = 4096 + 24

    /// - Parameter flushing: whether the transaction is to be on the disk when `commit` returns. One that is not is flushed
    ///   with the next that is; a power loss before takes it back as a whole.
    func begin(flushing: Bool = true) throws(StoreError) {
        if durability == .full, flushing != isFlushing {
            try connection.execute("PRAGMA synchronous = \(flushing ? "FULL" : "NORMAL")")
            isFlushing = flushing
        }
        try connection.statement("BEGIN IMMEDIATE").run()
    }

    func commit() throws(StoreError) {
        try connection.statement("COMMIT").run()
    }

    /// Undoes the transaction, if SQLite has not done so by itself.
    func rollBack() {
        rooms.forget()
        journal.rolledBack()
        erasure.rolledBack()
        segmentBuild = nil
        searchPositions.rolledBack()
        guard connection.isInTransaction else { return }
        try? connection.statement("ROLLBACK").run()
    }

    /// Runs several statements that take effect together or not at all, whatever else the transaction holds.
    func atomically<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        try connection.statement("SAVEPOINT mutation").run()
        do {
            let value = try body()
            try connection.statement("RELEASE mutation").run()
            return value
        } catch {
            rooms.forget()
            if case .rejected = error {
                try connection.statement("ROLLBACK TO mutation").run()
                try connection.statement("RELEASE mutation").run()
            }
            throw error
        }
    }

    /// A transaction that changes something and nothing of meaning.
    ///
    /// Once it is durable, it has overwritten in the log whatever a failed commit before it may have left there.
    func commitMarker() throws(StoreError) {
        try begin()
        try touch()
        try commit()
    }

    func touch() throws(StoreError) {
        try connection.statement("UPDATE settlements SET count = count + 1 WHERE key = 1").run()
    }
}
