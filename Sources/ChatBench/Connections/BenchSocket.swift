import EventLoop
import JSON
import WireProtocols

/// The state that the clients of one server share. Confined to its loop.
final class BenchContext {
    let loop: EventLoop
    private let server: BenchServer
    let parser = JSONParser()
    private var input = InputBuffer(capacity: 64 * 1024)

    init(loop: EventLoop, server: BenchServer) {
        self.loop = loop
        self.server = server
    }

    var host: String { server.host }

    fileprivate func connect() throws(ConnectError) -> Socket {
        try Socket.connect(to: server.address, port: server.port, on: loop)
    }

    /// Reads once from `socket` behind the bytes of `leftover`. `received` takes what it understands out of the buffer; the rest
    /// becomes the new `leftover`.
    fileprivate func read(
        from socket: Socket, leftover: inout [UInt8], received: (inout InputBuffer) -> Void
    ) -> IOResult {
        input.load(leftover: leftover)
        var outcome = IOResult.wouldBlock
        input.withFreeSpace(atLeast: 16 * 1024) { space in
            outcome = socket.read(into: space)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        if case .bytes = outcome { received(&input) }
        leftover = input.takeRemainder()
        return outcome
    }
}

/// One TCP connection. Bytes may be sent before it is established. Confined to its loop.
final class BenchSocket: SocketHandler {
    private let context: BenchContext
    private let socket: Socket
    private let received: (inout InputBuffer) -> Void
    private let lost: (String) -> Void
    private var leftover: [UInt8] = []
    private var output: [UInt8] = []
    private var isConnected = false

    /// - Parameters:
    ///   - received: takes the bytes that it understands out of the buffer; the rest is kept for the next call.
    ///   - lost: called once, when the server or the network ended the connection.
    init(
        _ context: BenchContext, received: @escaping (inout InputBuffer) -> Void, lost: @escaping (String) -> Void
    ) throws(ConnectError) {
        self.context = context
        self.received = received
        self.lost = lost
        socket = try context.connect()
        socket.setHandler(self)
        socket.watch(readable: false, writable: true)
    }

    func send(_ bytes: [UInt8]) {
        output.append(contentsOf: bytes)
        flush()
    }

    func close() { socket.close() }

    func socketReady(readable: Bool, writable: Bool) {
        if !isConnected, writable {
            if let error = socket.takeConnectError() { return end(error.description) }
            isConnected = true
        }
        if writable { flush() }
        if readable { read() }
    }

    private func flush() {
        guard isConnected else { return }
        if !output.isEmpty, case .bytes(let count) = output.withUnsafeBytes({ socket.write($0) }) {
            output.removeFirst(count)
        }
        socket.watch(readable: true, writable: !output.isEmpty)
    }

    private func read() {
        switch context.read(from: socket, leftover: &leftover, received: received) {
        case .bytes, .wouldBlock: break
        case .endOfStream, .failed: end("the server ended the connection")
        }
    }

    private func end(_ reason: String) {
        guard !socket.isClosed else { return }
        socket.close()
        lost(reason)
    }
}
