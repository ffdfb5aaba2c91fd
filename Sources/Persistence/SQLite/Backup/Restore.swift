import ChatDomain

/// The result of a restore.
public struct Restoration: Equatable, Sendable {
    public var contents: StoreContents
    /// The directory with the previous store's files; nil when there was none. It is a data directory itself.
    public var previous: String?
}

extension SQLiteStore {
    /// Makes a backup the store of a directory that no process uses. The previous store is kept aside.
    ///
    /// Killed at any moment, it leaves either the one store or the other.
    ///
    /// - Throws: `.rejected` when `path` is no backup of this service, damaged, or made by a newer version;
    ///   `.unavailable` when the directory is in use or a file cannot be read or written.
    public static func restore(_ path: String, into directory: String) throws(StoreError) -> Restoration {
        guard Files.exists(path) else { throw .rejected(reason: "there is no file \(path)") }
        guard Files.size(of: path + "-wal") ?? 0 == 0 else {
            throw .rejected(
                reason: "\(path) has a log beside it, \(path)-wal, so it is no backup but a store's file")
        }
        let lock = try DirectoryLock(directory: directory)
        defer { lock.unlock() }
        let files = StoreFiles(directory: directory)
        try files.finishExchange()
        let incoming = files.incoming
        unlinkIfThere(incoming)
        try Files.makePrivate(incoming)
        defer { for suffix in ["", "-journal", "-wal"] { unlinkIfThere(incoming + suffix) } }
        try Files.copy(path, to: incoming)
        let contents = try accepted(incoming, from: path)
        try Files.synchronize(incoming)
        return Restoration(contents: contents, previous: try files.exchange())
    }

    /// Looks whether a copy of `path` is a store, whole, and of a version this program knows.
    private static func accepted(_ copy: String, from path: String) throws(StoreError) -> StoreContents {
        do throws(StoreError) {
            let connection = try SQLiteConnection(path: copy, mode: .readWrite)
            try connection.foldLog()
            try Schema.check(connection)
            try connection.checkIntegrity()
            return try connection.contents()
        } catch {
            throw .rejected(reason: "\(path) cannot be restored: \(error.reason)")
        }
    }
}
