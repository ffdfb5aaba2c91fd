import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A connected blocking socket that carries lines. Closed with its last reference.
final class LineStream: Sendable {
    /// The longest line that is read, in bytes.
    static let maximumBytes = 65_536

    private let descriptor: Int32
    private let unread = Mutex<[UInt8]>([])

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    }

    deinit { close(descriptor) }

    /// Limits how long a read or a write may take, in whole seconds. Without a timeout they wait for the other side.
    func setTimeout(_ span: Duration) {
        var limit = timeval()
        limit.tv_sec = Int(span.components.seconds)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    /// The next line without its end; nil when the other side is gone, exceeded the timeout, or sent too long a line.
    func readLine() -> [UInt8]? {
        unread.withLock { bytes in
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                if let end = bytes.firstIndex(of: 0x0A) {
                    defer { bytes.removeFirst(end + 1) }
                    return Array(bytes[..<end])
                }
                guard bytes.count < Self.maximumBytes else { return nil }
                let count = recv(descriptor, &chunk, chunk.count, 0)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return nil }
                bytes.append(contentsOf: chunk[..<count])
            }
        }
    }

    /// False when the other side is gone or accepts nothing within the timeout.
    func write(line: [UInt8]) -> Bool {
        var rest = (line + [0x0A])[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
