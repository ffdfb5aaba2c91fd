import CSQLite

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// SQLite's access to files, with two differences: no copy of a moved row reaches the database's file (`ClearedPages`), and the frames
/// of a transaction are written to the log in one call (`LogFile`).
enum StoreFileSystem {
    /// One process at a time uses the file, so that its locks and the index of its log are in memory.
    private static let base = "unix-excl"

    /// Its name for `sqlite3_open_v2`. The first use registers it.
    static let name: String = register() ?? base

    private static func register() -> String? {
        let name = "chat-store"
        guard let original = sqlite3_vfs_find(base), let storedName = strdup(name) else { return nil }
        // SQLite keeps both until the process ends.
        let system = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        system.initialize(to: original.pointee)
        system.pointee.zName = UnsafePointer(storedName)
        system.pointee.pNext = nil
        system.pointee.pAppData = UnsafeMutableRawPointer(original)
        system.pointee.xOpen = { system, path, file, flags, givenFlags in
            guard let original = system?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self),
                let open = original.pointee.xOpen
            else { return SQLITE_CANTOPEN }
            let result = open(original, path, file, flags, givenFlags)
            guard result == SQLITE_OK, let file else { return result }
            if flags & SQLITE_OPEN_MAIN_DB != 0 { ClearedPages.attach(to: file) }
            if flags & SQLITE_OPEN_WAL != 0 { LogFile.attach(to: file) }
            return result
        }
        return sqlite3_vfs_register(system, 0) == SQLITE_OK ? name : nil
    }
}
