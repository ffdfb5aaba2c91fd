import Crypto
import EventLoop

/// The bytes of one socket, through TLS where the listener speaks it.
struct ConnectionTransport {
    enum HandshakeResult { case complete, wantRead, wantWrite, failed }

    private let socket: Socket
    private var tls: TLSSession?

    init(_ socket: Socket, tls: TLSSession?) {
        self.socket = socket
        self.tls = tls
    }

    var isSecure: Bool { tls != nil }

    func setHandler(_ handler: any SocketHandler) { socket.setHandler(handler) }

    func watch(readable: Bool, writable: Bool) { socket.watch(readable: readable, writable: writable) }

    func handshake() -> HandshakeResult {
        switch tls?.handshake() {
        case .bytes: .complete
        case .wantRead: .wantRead
        case .wantWrite: .wantWrite
        default: .failed
        }
    }

    func read(into space: UnsafeMutableRawBufferPointer) -> IOResult {
        guard let tls else { return socket.read(into: space) }
        switch tls.read(into: space) {
        case .bytes(let count): return .bytes(count)
        case .wantRead, .wantWrite: return .wouldBlock
        case .closed: return .endOfStream
        case .failed: return .failed(0)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        guard let tls else { return socket.write(bytes) }
        switch tls.write(bytes) {
        case .bytes(let count): return .bytes(count)
        case .wantRead, .wantWrite: return .wouldBlock
        case .closed, .failed: return .failed(0)
        }
    }

    /// Ends this side of the stream; the peer reads to its end.
    func shutdownWriting() {
        tls?.shutdown()
        socket.shutdownWriting()
    }

    mutating func close() {
        tls = nil
        socket.close()
    }

    /// Gives the socket away, for another loop to take over.
    mutating func detach() -> (descriptor: Int32, tls: TLSSession?) {
        defer { tls = nil }
        return (socket.detach(), tls)
    }
}
