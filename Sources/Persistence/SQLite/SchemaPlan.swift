public import ChatDomain

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the next start would change in the schema of an embedded store.
public struct SchemaPlan: Equatable, Sendable {
    /// The version of the store's file; nil where there is none.
    public var version: Int?
    /// The version that this program makes of it.
    public var newest: Int
    /// The changes, in words.
    public var changes: [String]
    /// Whether a process has the store open. The version is then the one in the file, which may lag behind the log.
    public var isInUse: Bool
}

extension SQLiteStore {
    /// Looks what `init` would change in the schema of a directory's store. Changes nothing, and may be called while the store is in use.
    ///
    /// - Throws: `.rejected` when the file is no store, or a newer program made it; `.unavailable` when it cannot be read.
    public static func schemaPlan(directory: String) throws(StoreError) -> SchemaPlan {
        let path = StoreFiles(directory: directory).database
        guard Files.exists(path) else {
            return SchemaPlan(
                version: nil, newest: Schema.newestVersion, changes: try Schema.changes(after: 0), isInUse: false)
        }
        let isInUse = try DirectoryLock.isHeld(in: directory)
        let version = isInUse ? try Files.schemaVersion(ofDatabase: path) : try version(ofUnused: path)
        guard (0...Schema.newestVersion).contains(version) else {
            throw .rejected(reason: Schema.unknownVersion(version))
        }
        return SchemaPlan(
            version: version, newest: Schema.newestVersion, changes: try Schema.changes(after: version),
            isInUse: isInUse)
    }

    private static func version(ofUnused path: String) throws(StoreError) -> Int {
        // A connection that only reads makes the log's index as a file, and leaves it.
        let index = path + "-shm"
        let hadIndex = Files.exists(index)
        defer { if !hadIndex { unlinkIfThere(index) } }
        return try Schema.knownVersion(of: SQLiteConnection(path: path, mode: .readOnly))
    }
}
