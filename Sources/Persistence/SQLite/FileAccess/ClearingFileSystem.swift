import CSQLite

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// SQLite's access to files, with one difference: no copy of a moved row reaches the database's file.
///
/// Each page that a checkpoint writes there passes `write`, which fills the page's unallocated region with zeros. So a text that is removed
/// from its row is in no other place of the file.
enum ClearingFileSystem {
    /// One process at a time uses the file, so that its locks and the index of its log are in memory.
    private static let base = "unix-excl"

    /// Its name for `sqlite3_open_v2`. The first use registers it.
    static let name: String = register() ?? base

    /// Up to this size of the file, no other page looks like a tree's: a quarter of 2²⁵ pages of the smallest size that this store
    /// has, 4 KiB.
    private static let clearedBytes: sqlite3_int64 = 32 << 30

    private static func register() -> String? {
        let name = "chat-clearing"
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
            if result == SQLITE_OK, flags & SQLITE_OPEN_MAIN_DB != 0, let file { FileMethods.replace(of: file) }
            return result
        }
        return sqlite3_vfs_register(system, 0) == SQLITE_OK ? name : nil
    }

    /// The functions of one open database file, and SQLite's own.
    private struct FileMethods {
        /// The first field: SQLite knows its address.
        var current: sqlite3_io_methods
        var original: UnsafePointer<sqlite3_io_methods>

        static func replace(of file: UnsafeMutablePointer<sqlite3_file>) {
            guard let original = file.pointee.pMethods else { return }
            var methods = FileMethods(current: original.pointee, original: original)
            methods.current.xWrite = { ClearingFileSystem.write($1, to: $0, count: $2, at: $3) }
            methods.current.xClose = { ClearingFileSystem.close($0) }
            let stored = UnsafeMutablePointer<FileMethods>.allocate(capacity: 1)
            stored.initialize(to: methods)
            file.pointee.pMethods = UnsafeRawPointer(stored).assumingMemoryBound(to: sqlite3_io_methods.self)
        }

        static func of(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafePointer<FileMethods>? {
            file.pointee.pMethods.map { UnsafeRawPointer($0).assumingMemoryBound(to: FileMethods.self) }
        }
    }

    private static func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard let file, let methods = FileMethods.of(file) else { return SQLITE_IOERR }
        let original = methods.pointee.original
        file.pointee.pMethods = original
        UnsafeMutablePointer(mutating: methods).deallocate()
        return original.pointee.xClose?(file) ?? SQLITE_IOERR
    }

    private static func write(
        _ bytes: UnsafeRawPointer?, to file: UnsafeMutablePointer<sqlite3_file>?, count: Int32, at offset: sqlite3_int64
    ) -> Int32 {
        guard let bytes, let file, let original = FileMethods.of(file)?.pointee.original,
            let write = original.pointee.xWrite
        else { return SQLITE_IOERR }
        let page = UnsafeRawBufferPointer(start: bytes, count: Int(count))
        guard let unallocated = UnallocatedBytes.range(in: page, isFirst: offset == 0),
            page[unallocated].contains(where: { $0 != 0 }), hasDistinctPages(file, original)
        else { return write(file, bytes, count, offset) }
        var cleared = [UInt8](page)
        cleared.replaceSubrange(unallocated, with: repeatElement(0, count: unallocated.count))
        return cleared.withUnsafeBytes { write(file, $0.baseAddress, count, offset) }
    }

    /// Whether a page of a tree can be told from others by its first byte.
    private static func hasDistinctPages(
        _ file: UnsafeMutablePointer<sqlite3_file>, _ methods: UnsafePointer<sqlite3_io_methods>
    ) -> Bool {
        var size: sqlite3_int64 = 0
        return methods.pointee.xFileSize?(file, &size) == SQLITE_OK && size < clearedBytes
    }
}
