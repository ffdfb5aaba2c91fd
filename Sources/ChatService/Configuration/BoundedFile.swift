#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that is read whole, up to a limit.
enum BoundedFile {
    /// The largest one that is read, in bytes.
    static let maximumBytes = 1 << 20

    /// The content of the file at `path`; nil when the file does not exist.
    ///
    /// - Throws: when the file exists and cannot be read, or is too large. Starting without its settings would be worse.
    static func bytes(at path: String, upTo maximumBytes: Int = maximumBytes) throws(InvalidConfiguration) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw unreadable(path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= maximumBytes {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
        throw unreadable(path, "larger than \(maximumBytes) bytes")
    }

    private static func unreadable(_ path: String, _ reason: String) -> InvalidConfiguration {
        InvalidConfiguration(problems: ["\(path): \(reason)"], warnings: [])
    }
}
