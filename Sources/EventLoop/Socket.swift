internal import CUV

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

/// A connected, non-blocking stream socket watched by one loop. Confined to that loop.
public final class Socket {
    public private(set) var descriptor: Int32
    private var watched: Int32 = 0
    private let poll: UnsafeMutablePointer<uv_poll_t>
    private unowned let loop: EventLoop
    /// Released when the socket is given up.
    private var handler: (any SocketHandler)?

    /// Takes over `descriptor`; nil when the loop cannot watch it (the descriptor is closed then).
    public init?(descriptor: Int32, loop: EventLoop) {
        loop.preconditionInLoop()
        self.descriptor = descriptor
        self.loop = loop
        poll = .allocate(capacity: 1)
        guard uv_poll_init(loop.uv, poll, descriptor) == 0 else {
            poll.deallocate()
            CUV.close(descriptor)
            return nil
        }
        // The handle keeps the socket alive until libuv lets go of it.
        poll.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    public func setHandler(_ handler: any SocketHandler) { self.handler = handler }

    public var isClosed: Bool { descriptor < 0 }

    /// Sets the events that the handler is called for. Cheap when nothing changes.
    public func watch(readable: Bool, writable: Bool) {
        guard !isClosed else { return }
        let events = Int32(readable ? UV_READABLE.rawValue : 0) | Int32(writable ? UV_WRITABLE.rawValue : 0)
        guard events != watched else { return }
        watched = events
        guard events != 0 else {
            uv_poll_stop(poll)
            return
        }
        uv_poll_start(poll, events) { poll, status, events in
            guard let data = poll.flatMap({ cuv_get_data($0) }) else { return }
            let socket = Unmanaged<Socket>.fromOpaque(data).takeUnretainedValue()
            socket.loop.noteInput()
            // A broken socket shows itself in the next call on it, so it is reported as ready.
            socket.handler?.socketReady(
                readable: status < 0 || events & Int32(UV_READABLE.rawValue) != 0,
                writable: status < 0 || events & Int32(UV_WRITABLE.rawValue) != 0)
        }
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
            let count = cuv_send(descriptor, bytes.baseAddress, bytes.count)
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
        let descriptor = descriptor
        release()
        return descriptor
    }

    public func close() {
        guard !isClosed else { return }
        CUV.close(detach())
    }

    private func release() {
        guard !isClosed else { return }
        loop.preconditionInLoop()
        descriptor = -1
        watched = 0
        handler = nil
        uv_poll_stop(poll)
        poll.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { handle in
            uv_close(handle) { handle in
                guard let handle, let data = cuv_get_data(handle) else { return }
                handle.withMemoryRebound(to: uv_poll_t.self, capacity: 1) { $0.deallocate() }
                Unmanaged<Socket>.fromOpaque(data).release()
            }
        }
    }
}
