import EventLoop
import JSON
import WireProtocols

/// What the clients of a bench share. Confined to its loop.
final class BenchContext {
    let loop: EventLoop
    let address: IPAddress
    let port: UInt16
    let host: String
    let parser = JSONParser()
    /// What a socket read last; emptied before another reads.
    var input = InputBuffer(capacity: 64 * 1024)

    init(loop: EventLoop, address: IPAddress, port: UInt16, host: String) {
        self.loop = loop
        self.address = address
        self.port = port
        self.host = host
    }
}

/// Bytes over one TCP connection, before and after it stands. Confined to its loop.
final class BenchSocket: SocketHandler {
    private let context: BenchContext
    private let socket: Socket
    private let received: (inout InputBuffer) -> Void
    private let lost: (String) -> Void
    private var leftover: [UInt8] = []
    private var output: [UInt8] = []
    private var isConnected = false

    /// - Parameters:
    ///   - received: takes out of the buffer what it understands; the rest is kept for the next time.
    ///   - lost: called once, when the server or the network ended the connection.
    init(
        _ context: BenchContext, received: @escaping (inout InputBuffer) -> Void, lost: @escaping (String) -> Void
    ) throws(ConnectError) {
        self.context = context
        self.received = received
        self.lost = lost
        socket = try Socket.connect(to: context.address, port: context.port, on: context.loop)
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
        context.input.load(leftover: leftover)
        leftover = []
        var outcome = IOResult.wouldBlock
        context.input.withFreeSpace(atLeast: 16 * 1024) { space in
            outcome = socket.read(into: space)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        switch outcome {
        case .bytes: received(&context.input)
        case .wouldBlock: break
        case .endOfStream, .failed: end("the server ended the connection")
        }
        leftover = context.input.takeRemainder()
    }

    private func end(_ reason: String) {
        guard !socket.isClosed else { return }
        socket.close()
        lost(reason)
    }
}
