import CSQLite

/// The functions of one open file, and SQLite's own.
struct FileMethods {
    /// The first field: SQLite knows its address.
    private var current: sqlite3_io_methods
    let original: UnsafePointer<sqlite3_io_methods>
    /// Used where the file is a log.
    var frames = GatheredFrames()

    private init(_ original: UnsafePointer<sqlite3_io_methods>) {
        current = original.pointee
        self.original = original
    }

    /// Puts other functions in place of some of the file's. They end when it is closed.
    static func replace(of file: UnsafeMutablePointer<sqlite3_file>, _ change: (inout sqlite3_io_methods) -> Void) {
        guard let original = file.pointee.pMethods else { return }
        var methods = FileMethods(original)
        change(&methods.current)
        methods.current.xClose = { FileMethods.close($0) }
        let stored = UnsafeMutablePointer<FileMethods>.allocate(capacity: 1)
        stored.initialize(to: methods)
        file.pointee.pMethods = UnsafeRawPointer(stored).assumingMemoryBound(to: sqlite3_io_methods.self)
    }

    /// Of a file whose functions were replaced.
    static func of(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<FileMethods>? {
        file.pointee.pMethods.map {
            UnsafeMutableRawPointer(mutating: $0).assumingMemoryBound(to: FileMethods.self)
        }
    }

    private static func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard let file, let methods = FileMethods.of(file) else { return SQLITE_IOERR }
        let original = methods.pointee.original
        file.pointee.pMethods = original
        methods.deinitialize(count: 1)
        methods.deallocate()
        return original.pointee.xClose?(file) ?? SQLITE_IOERR
    }
}
