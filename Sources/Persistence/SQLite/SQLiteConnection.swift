import CSQLite
import ChatDomain

/// One SQLite connection and its prepared statements. Belongs to the thread that uses it.
final class SQLiteConnection {
    enum Mode {
        case readWrite
        case readOnly
    }

    /// Milliseconds that a statement waits for a lock.
    private static let busyTimeout: Int32 = 5000

    /// SQLite would count its memory under one lock for all threads, several times for each statement. It takes the setting only before its
    /// first use; later it goes on counting, which does no harm.
    private static let stopCountingMemory: Void = { _ = chat_stop_counting_memory() }()

    private let handle: OpaquePointer
    /// Prepared statements by the address of their text, which is a literal.
    private var statements: [UInt: OpaquePointer] = [:]
    private var isInterrupted: (() -> Bool)?
    /// Written by SQLite after each commit.
    private let frames: UnsafeMutablePointer<Int32>

    /// - Throws: `.unavailable` when the file cannot be opened.
    init(path: String, mode: Mode) throws(StoreError) {
        Self.stopCountingMemory
        let access = mode == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        var handle: OpaquePointer?
        // No mutex: the thread that owns the connection is the only one to use it.
        let result = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX, StoreFileSystem.name)
        guard let handle else { throw .unavailable(reason: "no memory for \(path)") }
        guard result == SQLITE_OK else {
            defer { sqlite3_close_v2(handle) }
            throw .unavailable(reason: "cannot open \(path): \(String(cString: sqlite3_errmsg(handle)))")
        }
        self.handle = handle
        frames = .allocate(capacity: 1)
        frames.initialize(to: 0)
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, Self.busyTimeout)
        sqlite3_wal_hook(
            handle,
            { frames, _, _, logged in
                frames?.assumingMemoryBound(to: Int32.self).pointee = logged
                return SQLITE_OK
            }, frames)
    }

    deinit {
        // The handler is asked until the connection is closed, and holds what it asks by this object.
        sqlite3_progress_handler(handle, 0, nil, nil)
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
        frames.deallocate()
    }

    /// How many pages the log held after this connection's last commit. Setting this up turned SQLite's own
    /// checkpoints off.
    var loggedFrames: Int { Int(frames.pointee) }

    /// Runs one or more statements that return nothing.
    func execute(_ sql: String) throws(StoreError) {
        let result = sqlite3_exec(handle, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw failure(result) }
    }

    /// The prepared statement of a literal, prepared once.
    func statement(_ sql: StaticString) throws(StoreError) -> Statement {
        let key = UInt(bitPattern: sql.utf8Start)
        if let known = statements[key] { return Statement(known, of: self) }
        var prepared: OpaquePointer?
        let result = sql.utf8Start.withMemoryRebound(to: CChar.self, capacity: sql.utf8CodeUnitCount + 1) {
            sqlite3_prepare_v3(
                handle, $0, Int32(sql.utf8CodeUnitCount), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        }
        guard result == SQLITE_OK, let prepared else { throw failure(result) }
        statements[key] = prepared
        return Statement(prepared, of: self)
    }

    /// Rows changed by the statement that ran last.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// The row id given by the insert that ran last.
    var lastInsertedKey: Int64 { sqlite3_last_insert_rowid(handle) }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Copies what it can from the log into the database without waiting for readers or writers.
    ///
    /// - Returns: frames in the log, and how many of them are in the database now.
    func checkpoint() throws(StoreError) -> (logged: Int, copied: Int) {
        var logged: Int32 = 0
        var copied: Int32 = 0
        let result = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &logged, &copied)
        guard result == SQLITE_OK || result == SQLITE_BUSY else { throw failure(result) }
        return (Int(logged), Int(copied))
    }

    /// Copies all of the log into the database and cuts the log's file to nothing; false where a reader needs it still.
    func emptyLog() throws(StoreError) -> Bool {
        sqlite3_busy_timeout(handle, 0)
        defer { sqlite3_busy_timeout(handle, Self.busyTimeout) }
        let result = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard result & 0xFF != SQLITE_BUSY, result & 0xFF != SQLITE_LOCKED else { return false }
        guard result == SQLITE_OK else { throw failure(result) }
        return true
    }

    /// Drops the pages in memory that no statement and no transaction uses.
    func forgetPages() { sqlite3_db_release_memory(handle) }

    /// Copies the whole database over another, as this connection's open transaction sees it.
    ///
    /// - Parameter step: called after each `pagesAtOnce` pages with how many are copied, and of how many; ends the
    ///   copying by throwing.
    func copy(
        into target: SQLiteConnection, pagesAtOnce: Int32,
        step: (_ copied: Int, _ total: Int) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard let copying = sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw target.failure(sqlite3_extended_errcode(target.handle))
        }
        var result = SQLITE_OK
        do throws(StoreError) {
            while result == SQLITE_OK {
                result = sqlite3_backup_step(copying, pagesAtOnce)
                let total = Int(sqlite3_backup_pagecount(copying))
                try step(total - Int(sqlite3_backup_remaining(copying)), total)
            }
        } catch {
            sqlite3_backup_finish(copying)
            throw error
        }
        sqlite3_backup_finish(copying)
        guard result == SQLITE_DONE else { throw target.failure(result) }
    }

    /// Ends statements that run for long with an error once `condition` holds; it is asked on this connection's thread.
    func interrupt(when condition: @escaping () -> Bool) {
        isInterrupted = condition
        let operations: Int32 = 10_000
        sqlite3_progress_handler(
            handle, operations,
            { connection in
                guard let connection else { return 0 }
                let asked = Unmanaged<SQLiteConnection>.fromOpaque(connection).takeUnretainedValue().isInterrupted
                return asked?() == true ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func failure(_ result: Int32) -> StoreError {
        StoreError(sqlite: result, String(cString: sqlite3_errmsg(handle)))
    }
}

extension StoreError {
    /// - Parameter result: an extended result code.
    init(sqlite result: Int32, _ message: String) {
        let reason = "SQLite \(result): \(message)"
        switch result & 0xFF {
        case SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH: self = .rejected(reason: reason)
        default: self = .unavailable(reason: reason)
        }
    }
}
