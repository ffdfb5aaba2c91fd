internal import CSockets

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Called on the loop when its socket can be read or written.
public protocol SocketHandler: AnyObject {
    func socketReady(readable: Bool, writable: Bool)
}

/// The result of one non-blocking call.
public enum IOResult: Equatable {
    case bytes(Int)
    case wouldBlock
    case endOfStream
    /// The connection is broken; `errno`.
    case failed(Int32)
}

/// A connected, non-blocking stream socket watched by one loop. Confined to that loop, which keeps it alive until it is given up.
public final class Socket {
    public private(set) var descriptor: Int32
    let tag: UInt32
    private unowned let loop: EventLoop
    private var watched: Readiness = []
    /// Released when the socket is given up.
    private var handler: (any SocketHandler)?

    /// Takes over `descriptor`.
    public init(descriptor: Int32, loop: EventLoop) {
        loop.preconditionInLoop()
        self.descriptor = descriptor
        self.loop = loop
        tag = loop.sockets.makeTag()
        loop.sockets.insert(self)
    }

    public func setHandler(_ handler: any SocketHandler) { self.handler = handler }

    public var isClosed: Bool { descriptor < 0 }

    /// Sets the events that the handler is called for. Cheap when nothing changes.
    ///
    /// - Returns: false when the system cannot watch the socket. Such a socket has ended: the handler is told in the next turn.
    @discardableResult
    public func watch(readable: Bool, writable: Bool) -> Bool {
        guard !isClosed else { return true }
        var wanted: Readiness = []
        if readable { wanted.insert(.readable) }
        if writable { wanted.insert(.writable) }
        guard wanted != watched else { return true }
        guard loop.readiness.change(Watch(descriptor: descriptor, tag: tag), from: watched, to: wanted) else {
            endUnwatched()
            return false
        }
        watched = wanted
        return true
    }

    private func endUnwatched() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        loop.schedule(after: .zero) { [weak self] in self?.handler?.socketReady(readable: true, writable: true) }
    }

    /// A broken socket shows itself in the next call on it, so it is reported as ready for what is waited for.
    func receivedReadiness(_ readiness: Readiness) {
        let ready = readiness.contains(.broken) ? watched : readiness
        handler?.socketReady(readable: ready.contains(.readable), writable: ready.contains(.writable))
    }

    public func read(into space: UnsafeMutableRawBufferPointer) -> IOResult {
        guard !isClosed else { return .endOfStream }
        while true {
            let count = recv(descriptor, space.baseAddress, space.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            if errno != EINTR { return Self.failure(errno) }
        }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        guard !isClosed else { return .failed(EPIPE) }
        while true {
            let count = csockets_send(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.failure(errno) }
        }
    }

    private static func failure(_ code: Int32) -> IOResult {
        code == EAGAIN || code == EWOULDBLOCK ? .wouldBlock : .failed(code)
    }

    /// Ends our side of the stream; the peer reads to its end.
    public func shutdownWriting() {
        guard !isClosed else { return }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Stops watching and gives the descriptor away, for another loop to take over.
    public func detach() -> Int32 {
        watch(readable: false, writable: false)
        return release()
    }

    public func close() {
        guard !isClosed else { return }
        // That ends the watch as well.
        CSockets.close(release())
    }

    private func release() -> Int32 {
        loop.preconditionInLoop()
        guard !isClosed else { return descriptor }
        loop.sockets.remove(self)
        handler = nil
        watched = []
        defer { descriptor = -1 }
        return descriptor
    }
}
