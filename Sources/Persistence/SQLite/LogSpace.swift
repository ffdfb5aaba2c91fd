#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Gives the write-ahead log its full size beforehand.
///
/// Flushing a write that makes a file longer costs more than twice one inside it, because the file system then writes
/// about the file as well. What follows the log's last valid frame means nothing to SQLite: frames are recognised by salts
/// and checksums, and zeros have neither.
enum LogSpace {
    /// What is written at once decides how much of the file the page cache keeps as one piece. Larger ones cost each write of a frame
    /// a look at all of their pages, smaller ones cost each write of many frames.
    private static let bytesAtOnce = 64 << 10

    /// Best effort: without it the log is as right, and slower until it has grown.
    static func reserve(_ bytes: Int, in path: String) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: bytesAtOnce)
        var position = Int(lseek(descriptor, 0, SEEK_END))
        while position >= 0, position < bytes {
            let written = pwrite(descriptor, zeros, min(zeros.count, bytes - position), off_t(position))
            guard written > 0 else { break }
            position += written
        }
        fsync(descriptor)
    }
}
