internal import CSockets

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Why a port could not be opened.
public struct ListenError: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }

    /// The reason in `errno`.
    init(address: IPAddress, port: UInt16) {
        description = "cannot listen on \(address) port \(port): \(String(cString: strerror(errno)))"
    }
}

/// A listening socket of one loop. Several loops may listen on the same port where the system supports it.
public final class Listener: SocketHandler {
    /// Connections taken per turn at most, so that a flood of new ones does not starve the open ones.
    private static let acceptsPerTurn = 64
    private static let backlog: Int32 = 4096
    /// How long no connection is taken once descriptors have run out.
    private static let pause: Duration = .milliseconds(50)

    private let socket: Socket
    private let accepted: (_ descriptor: Int32, _ peer: IPAddress) -> Void
    private let didRunOut: () -> Void
    /// Held back so that a connection can be taken and refused when descriptors have run out; -1 while it is lost.
    private var reserve: Int32 = -1
    private unowned let loop: EventLoop

    /// The port in use; differs from the one asked for when that was 0.
    public let port: UInt16

    /// Whether each loop can have a listener of its own on one port.
    public static var canShare: Bool { csockets_is_shared_listening_supported() != 0 }

    /// Refuses a port that another process listens on: with shared listening the system would let both, and give each a part
    /// of the connections.
    public static func requireUnused(address: IPAddress, port: UInt16) throws(ListenError) {
        let descriptor = address.withSocketAddress(port: port) { csockets_bind($0, $1, 0) }
        guard descriptor >= 0 else { throw ListenError(address: address, port: port) }
        CSockets.close(descriptor)
    }

    /// - Parameters:
    ///   - accepted: takes over each connection.
    ///   - starved: called when there is no descriptor for a client that connects, at most once in 50 ms.
    public init(
        on loop: EventLoop, address: IPAddress, port: UInt16, shared: Bool,
        accepted: @escaping (_ descriptor: Int32, _ peer: IPAddress) -> Void, starved: @escaping () -> Void = {}
    ) throws(ListenError) {
        let descriptor = address.withSocketAddress(port: port) { csockets_listen($0, $1, Self.backlog, shared ? 1 : 0) }
        guard descriptor >= 0 else { throw ListenError(address: address, port: port) }
        self.port = UInt16(truncatingIfNeeded: csockets_local_port(descriptor))
        socket = Socket(descriptor: descriptor, loop: loop)
        self.loop = loop
        self.accepted = accepted
        self.didRunOut = starved
        holdReserve()
        socket.setHandler(self)
        guard socket.watch(readable: true, writable: false) else {
            close()
            throw ListenError(description: "cannot watch the listening socket")
        }
    }

    public func socketReady(readable: Bool, writable: Bool) {
        var peer = sockaddr_storage()
        for _ in 0..<Self.acceptsPerTurn {
            let descriptor = csockets_accept(socket.descriptor, &peer)
            if descriptor >= 0 {
                accepted(descriptor, IPAddress(peer))
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                return
            } else if errno != ECONNABORTED && errno != EINTR {
                // Out of descriptors, or of memory. Waiting connections keep the socket readable: without a pause the loop would
                // spin on it.
                dropWaiting()
                return pauseAccepting()
            }
        }
    }

    /// Takes connections and drops them at once, so that their clients do not wait in vain.
    private func dropWaiting() {
        didRunOut()
        var peer = sockaddr_storage()
        for _ in 0..<Self.acceptsPerTurn {
            guard reserve >= 0 else { return }
            CSockets.close(reserve)
            let descriptor = csockets_accept(socket.descriptor, &peer)
            if descriptor >= 0 { CSockets.close(descriptor) }
            // Another thread may have taken the descriptor; then there is none until one comes free.
            holdReserve()
            if descriptor < 0 { return }
        }
    }

    private func holdReserve() { reserve = open("/dev/null", O_RDONLY | O_CLOEXEC) }

    private func pauseAccepting() {
        socket.watch(readable: false, writable: false)
        loop.schedule(after: Self.pause) { [weak self] in
            guard let self, !socket.isClosed else { return }
            if reserve < 0 { holdReserve() }
            socket.watch(readable: true, writable: false)
        }
    }

    public func close() {
        socket.close()
        if reserve >= 0 { CSockets.close(reserve) }
        reserve = -1
    }
}
