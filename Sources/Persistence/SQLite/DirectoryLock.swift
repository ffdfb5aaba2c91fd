import ChatDomain
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps a second process out of a data directory: the writer numbers from memory, so it must be the only one.
///
/// The lock goes with the process, however it ends.
final class DirectoryLock: Sendable {
    private let descriptor: Mutex<CInt?>

    /// Makes the directory where it is missing, and locks it.
    ///
    /// - Throws: `.unavailable` when it cannot be made or written, or is in use.
    init(directory: String) throws(StoreError) {
        try Self.makeDirectory(directory)
        let path = directory + "/chat.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unavailable(reason: "cannot open \(path): \(Files.lastError)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno == EWOULDBLOCK ? "another process uses it" : Files.lastError
            close(descriptor)
            throw .unavailable(reason: "the data directory \(directory) cannot be locked: \(reason)")
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { unlock() }

    /// Whether a process has the directory locked. Makes nothing; a directory that was never locked has no lock.
    ///
    /// - Throws: `.unavailable` when the lock's file cannot be opened.
    static func isHeld(in directory: String) throws(StoreError) -> Bool {
        let path = directory + "/chat.lock"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw .unavailable(reason: "cannot open \(path): \(Files.lastError)")
        }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    func unlock() {
        descriptor.withLock { descriptor in
            if let open = descriptor {
                // Closing alone would leave the lock to a child process that has been forked and not yet executed.
                flock(open, LOCK_UN)
                close(open)
            }
            descriptor = nil
        }
    }

    private static func makeDirectory(_ directory: String) throws(StoreError) {
        var path = directory.hasPrefix("/") ? "/" : ""
        for part in directory.split(separator: "/") {
            path += part + "/"
            guard mkdir(path, 0o700) == 0 || errno == EEXIST || errno == EISDIR || isDirectory(path) else {
                throw .unavailable(reason: "cannot make \(path): \(Files.lastError)")
            }
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
