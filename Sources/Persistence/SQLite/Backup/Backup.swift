import Workers
import ChatDomain

/// A copy of the store in one file, made while messages are stored.
///
/// It is one state of the store: a transaction holds on to it until all pages are copied, which in WAL mode keeps no
/// writer waiting. The file appears under its name when it is complete, checked and on the disk, or not at all.
struct Backup {
    /// Pages between two looks at whether to stop: 1 MiB.
    private static let pagesAtOnce: Int32 = 256
    /// Steps between two flushes. Much that is written and not flushed would hold up the flushes of commits.
    private static let stepsPerFlush = 4

    let target: String
    let replacesTarget: Bool
    let isCancelled: @Sendable () -> Bool
    let report: @Sendable (BackupProgress) -> Void

    /// - Throws: `.rejected` when `target` may not be taken or the copy is damaged, `.unavailable` when it cannot be
    ///   written or was cancelled.
    func make(of database: String) throws(StoreError) -> StoreContents {
        try checkTarget(besideStoreOf: database)
        let draft = "\(target).\(UInt32.random(in: 0 ... .max)).part"
        try Files.makePrivate(draft)
        defer { for suffix in ["", "-journal", "-wal"] { unlinkIfThere(draft + suffix) } }
        let contents = try copy(database, to: draft)
        try verify(draft, holds: contents)
        try Files.synchronize(draft)
        if replacesTarget {
            try Files.move(draft, to: target)
        } else {
            try Files.moveIfFree(draft, to: target)
        }
        try Files.synchronize(Files.directory(of: target))
        return contents
    }

    /// A store whose file is replaced while it is open would continue in a file without a name, and lose it at its end.
    private func checkTarget(besideStoreOf database: String) throws(StoreError) {
        guard !StoreFiles(directory: Files.directory(of: database)).owns(target) else {
            throw .rejected(reason: "\(target) is a name of the store's own files")
        }
        guard Files.exists(target) else { return }
        guard replacesTarget else { throw .rejected(reason: "\(target) exists") }
        guard Files.isRegular(target) else { throw .rejected(reason: "\(target) is not a regular file") }
    }

    private func copy(_ database: String, to draft: String) throws(StoreError) -> StoreContents {
        let source = try SQLiteConnection(path: database, mode: .readOnly)
        let sink = try SQLiteConnection(path: draft, mode: .readWrite)
        try sink.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        return try source.consistently { () throws(StoreError) in
            let contents = try source.contents()
            var steps = 0
            try source.copy(into: sink, pagesAtOnce: Self.pagesAtOnce) { copied, total throws(StoreError) in
                try stopIfCancelled()
                report(BackupProgress(pagesCopied: copied, pages: total))
                steps += 1
                if steps % Self.stepsPerFlush == 0 { try Files.synchronize(draft) }
            }
            return contents
        }
    }

    private func verify(_ draft: String, holds contents: StoreContents) throws(StoreError) {
        let copy = try SQLiteConnection(path: draft, mode: .readWrite)
        copy.interrupt(when: isCancelled)
        try copy.foldLog()
        // A journal is moved into the tables of the newest version.
        try Schema.migrate(copy)
        try copy.moveWholeJournal()
        try copy.checkIntegrity()
        let found = try copy.contents()
        guard found == contents else {
            throw .rejected(reason: "the copy holds \(found), the store \(contents)")
        }
    }

    private func stopIfCancelled() throws(StoreError) {
        if isCancelled() { throw .unavailable(reason: "the backup was cancelled") }
    }
}

/// How far a backup is.
public struct BackupProgress: Equatable, Sendable {
    public var pagesCopied: Int
    public var pages: Int

    public init(pagesCopied: Int, pages: Int) {
        self.pagesCopied = pagesCopied
        self.pages = pages
    }
}

extension SQLiteStore {
    /// Copies the store, as it is now, into one file. Commits continue meanwhile.
    ///
    /// One backup is made at a time; one more waits. Closing the store cancels it.
    ///
    /// - Parameters:
    ///   - replacing: whether a file at `path` is replaced.
    ///   - isCancelled: asked on the backup's own thread, every megabyte.
    ///   - report: called there as well.
    /// - Throws: `.rejected` when `path` is taken, no regular file or a name of the store's own files, `.unavailable`
    ///   when it cannot be written, or the store is closed.
    public func backUp(
        to path: String, replacing: Bool = false, isCancelled: @escaping @Sendable () -> Bool = { false },
        report: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) async throws(StoreError) -> StoreContents {
        let backup = Backup(
            target: path, replacesTarget: replacing, isCancelled: { [backups] in backups.isClosed || isCancelled() },
            report: report)
        return try await backups.run(orThrow: .refused) { database throws(StoreError) in try backup.make(of: database) }
    }

    /// Copies the store in a directory that no process uses.
    ///
    /// - Throws: as `backUp(to:)`; `.unavailable` too when the directory is in use, `.rejected` when it has no store.
    public static func backUp(
        directory: String, to path: String, replacing: Bool = false,
        report: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) throws(StoreError) -> StoreContents {
        let database = StoreFiles(directory: directory).database
        guard Files.exists(database) else { throw .rejected(reason: "there is no store in \(directory)") }
        let lock = try DirectoryLock(directory: directory)
        defer { lock.unlock() }
        let backup = Backup(target: path, replacesTarget: replacing, isCancelled: { false }, report: report)
        return try backup.make(of: database)
    }
}
