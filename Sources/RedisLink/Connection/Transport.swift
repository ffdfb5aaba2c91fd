internal import Crypto
internal import EventLoop

/// A socket, with TLS over it or not. Confined to its loop.
final class Transport {
    enum Outcome: Equatable {
        case bytes(Int)
        case wantRead
        case wantWrite
        case broken(reason: String)
    }

    let socket: Socket
    private var session: TLSSession?

    init(_ socket: Socket) { self.socket = socket }

    var isSecure: Bool { session != nil }

    func secure(_ context: TLSClientContext, host: String) throws(TLSError) {
        session = try context.connect(on: socket.descriptor, host: host)
    }

    /// - Returns: `.bytes(0)` when the connection is ready for use.
    func handshake() -> Outcome { session.map { Self.outcome($0.handshake()) } ?? .bytes(0) }

    func read(into space: UnsafeMutableRawBufferPointer) -> Outcome {
        if let session { return Self.outcome(session.read(into: space)) }
        return Self.outcome(socket.read(into: space), blocked: .wantRead)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        if let session { return Self.outcome(session.write(bytes)) }
        return Self.outcome(socket.write(bytes), blocked: .wantWrite)
    }

    func close() {
        session?.shutdown()
        session = nil
        socket.close()
    }

    private static func outcome(_ result: TLSResult) -> Outcome {
        switch result {
        case .bytes(let count): .bytes(count)
        case .wantRead: .wantRead
        case .wantWrite: .wantWrite
        case .closed: .broken(reason: "the server closed the connection")
        case .failed(let reason): .broken(reason: "TLS failed: \(reason)")
        }
    }

    private static func outcome(_ result: IOResult, blocked: Outcome) -> Outcome {
        switch result {
        case .bytes(let count): .bytes(count)
        case .wouldBlock: blocked
        case .endOfStream: .broken(reason: "the server closed the connection")
        case .failed(let code): .broken(reason: Socket.describe(code))
        }
    }
}
