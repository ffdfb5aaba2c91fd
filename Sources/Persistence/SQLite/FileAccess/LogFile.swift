import CSQLite

/// The write-ahead log as SQLite writes it, with the frames of a transaction in one call (`GatheredFrames`).
enum LogFile {
    static func attach(to file: UnsafeMutablePointer<sqlite3_file>) {
        FileMethods.replace(of: file) { methods in
            methods.xWrite = { LogFile.write($1, to: $0, count: $2, at: $3) }
            methods.xSync = { file, flags in
                LogFile.after(writingFramesOf: file) { $1.pointee.xSync?($0, flags) }
            }
            methods.xRead = { file, bytes, count, offset in
                LogFile.after(writingFramesOf: file, interrupting: true) { $1.pointee.xRead?($0, bytes, count, offset) }
            }
            methods.xTruncate = { file, size in
                LogFile.after(writingFramesOf: file, interrupting: true) { $1.pointee.xTruncate?($0, size) }
            }
            methods.xFileSize = { file, size in
                LogFile.after(writingFramesOf: file, interrupting: true) { $1.pointee.xFileSize?($0, size) }
            }
        }
    }

    private static func write(
        _ bytes: UnsafeRawPointer?, to file: UnsafeMutablePointer<sqlite3_file>?, count: Int32, at offset: sqlite3_int64
    ) -> Int32 {
        guard let bytes, let file, let methods = FileMethods.of(file) else { return SQLITE_IOERR }
        switch methods.pointee.frames.take(UnsafeRawBufferPointer(start: bytes, count: Int(count)), at: offset) {
        case .kept: return SQLITE_OK
        case .keptAndDue: return writeFrames(of: file, methods)
        case .notKept:
            let result = after(writingFramesOf: file, interrupting: true) {
                $1.pointee.xWrite?($0, bytes, count, offset)
            }
            if result == SQLITE_OK { methods.pointee.frames.didWrite(upTo: offset + Int64(count)) }
            return result
        }
    }

    /// Calls `body` with the file and SQLite's functions once the frames are in the file.
    private static func after(
        writingFramesOf file: UnsafeMutablePointer<sqlite3_file>?, interrupting: Bool = false,
        _ body: (UnsafeMutablePointer<sqlite3_file>, UnsafePointer<sqlite3_io_methods>) -> Int32?
    ) -> Int32 {
        guard let file, let methods = FileMethods.of(file) else { return SQLITE_IOERR }
        let result = writeFrames(of: file, methods)
        guard result == SQLITE_OK else { return result }
        if interrupting { methods.pointee.frames.interrupt() }
        return body(file, methods.pointee.original) ?? SQLITE_IOERR
    }

    /// A failure reaches the transaction that the frames are of, because nothing is kept beyond its last frame.
    private static func writeFrames(
        of file: UnsafeMutablePointer<sqlite3_file>, _ methods: UnsafeMutablePointer<FileMethods>
    ) -> Int32 {
        guard !methods.pointee.frames.bytes.isEmpty else { return SQLITE_OK }
        let start = methods.pointee.frames.start
        let result = methods.pointee.frames.bytes.withUnsafeBytes { bytes in
            methods.pointee.original.pointee.xWrite?(file, bytes.baseAddress, Int32(clamping: bytes.count), start)
        }
        methods.pointee.frames.removeAll()
        if result != SQLITE_OK { methods.pointee.frames.interrupt() }
        return result ?? SQLITE_IOERR
    }
}
