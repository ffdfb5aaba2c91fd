import ChatDomain

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Wakes a thread that sleeps until its socket is readable.
final class WakePipe: Sendable {
    private let reading: Int32
    private let writing: Int32

    init() throws(BrokerError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw .unreachable(reason: "no file descriptor is left: \(String(cString: strerror(errno)))")
        }
        (reading, writing) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// From any thread. A full pipe wakes the sleeper as well, so a failed write does not matter.
    func wake() {
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    /// Sleeps until woken, until `socket` is readable, or until the time is over.
    ///
    /// - Returns: whether `socket` is readable.
    @discardableResult
    func sleep(socket: Int32? = nil, upTo limit: Duration) -> Bool {
        var descriptors = [pollfd(fd: reading, events: Int16(POLLIN), revents: 0)]
        if let socket { descriptors.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: max(0, limit.wholeMilliseconds)))
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(reading, &bytes, bytes.count) == bytes.count {}
        return descriptors.count > 1 && descriptors[1].revents != 0
    }
}
