import ChatDomain

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The few calls on files that a store makes beside SQLite's own.
enum Files {
    static var lastError: String { String(cString: strerror(errno)) }

    static func exists(_ path: String) -> Bool { size(of: path) != nil }

    /// Bytes; nil when there is no such file.
    static func size(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// False for directories, devices and pipes, and when nothing is there.
    static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether two paths lead to one file or directory, by whatever links.
    static func areSame(_ one: String, _ other: String) -> Bool {
        var first = stat()
        var second = stat()
        guard stat(one, &first) == 0, stat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// Seconds since the epoch; nil when there is no such file.
    static func modificationTime(of path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Glibc)
            return Int64(status.st_mtim.tv_sec)
        #else
            return Int64(status.st_mtimespec.tv_sec)
        #endif
    }

    /// Makes an empty file for its owner alone. SQLite gives what it puts beside it the same mode.
    ///
    /// - Throws: `.unavailable`, also when there is one.
    static func makePrivate(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot make", path) }
        close(descriptor)
    }

    /// Returns when what was written to the file, or to the directory's list of files, is on the disk.
    static func synchronize(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot flush", path) }
    }

    /// Gives a file its name, in place of what has it.
    static func move(_ path: String, to target: String) throws(StoreError) {
        guard rename(path, target) == 0 else { throw failure("cannot rename \(path) to", target) }
    }

    /// Gives a file its name, unless another has it.
    static func moveIfFree(_ path: String, to target: String) throws(StoreError) {
        if link(path, target) == 0 {
            unlink(path)
            return
        }
        if errno == EEXIST { throw .rejected(reason: "\(target) exists") }
        // A file system without hard links can only look first.
        guard !exists(target) else { throw .rejected(reason: "\(target) exists") }
        try move(path, to: target)
    }

    /// Copies a file's bytes into an empty one.
    static func copy(_ path: String, to target: String) throws(StoreError) {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw failure("cannot open", path) }
        defer { close(source) }
        let sink = open(target, O_WRONLY | O_CLOEXEC)
        guard sink >= 0 else { throw failure("cannot open", target) }
        defer { close(sink) }
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(source, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read", path) }
            guard count > 0 else { return }
            try write(chunk[..<count], to: sink, path: target)
        }
    }

    /// The version in a database's header (`user_version`, a big-endian number at byte 60), without opening the database.
    static func schemaVersion(ofDatabase path: String) throws(StoreError) -> Int {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open", path) }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 64)
        guard pread(descriptor, &header, header.count, 0) == header.count,
            header.starts(with: "SQLite format 3".utf8)
        else { throw .rejected(reason: "\(path) is no SQLite database") }
        return header[60...].reduce(0) { $0 << 8 | Int($1) }
    }

    /// The part before the last slash, or `.`.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: CInt, path: String) throws(StoreError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.writeOnce($0, to: descriptor) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot write", path) }
            rest = rest.dropFirst(count)
        }
    }

    private static func writeOnce(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    private static func failure(_ what: String, _ path: String) -> StoreError {
        .unavailable(reason: "\(what) \(path): \(lastError)")
    }
}
