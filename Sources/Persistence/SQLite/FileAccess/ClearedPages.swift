import CSQLite

/// Each page that a checkpoint writes into the database's file has its unallocated region filled with zeros. So a text that is removed
/// from its row is in no other place of the file.
enum ClearedPages {
    /// Up to this size of the file, no other page looks like a tree's: a quarter of 2²⁵ pages of the smallest size that this store
    /// has, 4 KiB.
    private static let clearedBytes: sqlite3_int64 = 32 << 30

    static func attach(to file: UnsafeMutablePointer<sqlite3_file>) {
        FileMethods.replace(of: file) { methods in
            methods.xWrite = { ClearedPages.write($1, to: $0, count: $2, at: $3) }
        }
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
