import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A server whose answers a test scripts, for answers that a real server never gives.
public final class ScriptedPeer: Sendable {
    /// - Parameters:
    ///   - connection: 1 for the first, and so on.
    ///   - received: the bytes since the last call.
    /// - Returns: pieces, each sent by itself; nil ends the connection.
    public typealias Script = @Sendable (_ connection: Int, _ received: [UInt8]) -> [[UInt8]]?

    public let port: UInt16
    private let listener: Int32

    public init(_ script: @escaping Script) throws {
        let (listener, port) = try FreePort.listen()
        self.listener = listener
        self.port = port
        DispatchQueue(label: "scripted-peer").async {
            var connections = 0
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                connections += 1
                let number = connections
                DispatchQueue(label: "scripted-connection").async { Self.serve(descriptor, number, script) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func serve(_ descriptor: Int32, _ number: Int, _ script: Script) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var space = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &space, space.count, 0)
            guard count > 0, let pieces = script(number, Array(space[..<count])) else { break }
            for piece in pieces where send(descriptor, piece, piece.count, Int32(MSG_NOSIGNAL)) < 0 { break }
        }
        close(descriptor)
    }
}
