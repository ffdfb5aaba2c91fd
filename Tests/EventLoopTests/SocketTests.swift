import TestSupport
import Testing

@testable import EventLoop

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An echo on a loop, whose sockets can move to another.
private actor Echo {
    nonisolated let loop: EventLoop
    private var listener: Listener?
    private var lines: [Line] = []

    /// Writes all bytes back, and ends its side when the peer has.
    private final class Line: SocketHandler {
        let socket: Socket
        private var pending: [UInt8] = []
        private(set) var hasEnded = false

        init(_ socket: Socket) {
            self.socket = socket
            socket.setHandler(self)
            socket.watch(readable: true, writable: false)
        }

        func socketReady(readable: Bool, writable: Bool) {
            if readable, !hasEnded { read() }
            write()
        }

        private func read() {
            var space = [UInt8](repeating: 0, count: 4096)
            while true {
                switch space.withUnsafeMutableBytes({ socket.read(into: $0) }) {
                case .bytes(let count): pending += space[..<count]
                case .wouldBlock: return
                case .endOfStream, .failed:
                    hasEnded = true
                    return
                }
            }
        }

        private func write() {
            while !pending.isEmpty {
                guard case .bytes(let count) = pending.withUnsafeBytes({ socket.write($0) }) else { break }
                pending.removeFirst(count)
            }
            socket.watch(readable: !hasEnded, writable: !pending.isEmpty)
            if hasEnded, pending.isEmpty { socket.shutdownWriting() }
        }
    }

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func listen(port: UInt16 = 0, shared: Bool = false) throws -> UInt16 {
        let listener = try Listener(
            on: loop, address: IPAddress(high: 0, low: 0xFFFF_7F00_0001), port: port, shared: shared,
            accepted: { [unowned self] descriptor, peer in
                assumeIsolated { $0.take(descriptor, peer) }
            })
        self.listener = listener
        return listener.port
    }

    private(set) var peers: [IPAddress] = []

    /// Whether each accepted socket sends at once what it is given.
    private(set) var sendsAtOnce: [Bool] = []

    private func take(_ descriptor: Int32, _ peer: IPAddress) {
        peers.append(peer)
        var (option, length): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
        getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &option, &length)
        sendsAtOnce.append(option != 0)
        adopt(descriptor)
    }

    func adopt(_ descriptor: Int32) {
        lines.append(Line(Socket(descriptor: descriptor, loop: loop)))
    }

    /// Gives the only line's descriptor away.
    func giveAway() -> Int32? { lines.popLast().map { $0.socket.detach() } }

    var count: Int { lines.count }

    func end() {
        listener?.close()
        listener = nil
        for line in lines { line.socket.close() }
        lines = []
        loop.stop()
    }
}

@Suite struct SocketTests {
    private func withEcho(_ body: (Echo, UInt16) async throws -> Void) async throws {
        let loop = EventLoop(name: "echo")
        loop.start()
        let echo = Echo(loop)
        let port = try await echo.listen()
        do { try await body(echo, port) } catch {
            await echo.end()
            throw error
        }
        await echo.end()
    }

    private func receive(_ count: Int, from client: LoopbackClient) async throws -> [UInt8] {
        try await client.receive { bytes in
            guard bytes.count >= count else { return nil }
            defer { bytes.removeFirst(count) }
            return Array(bytes.prefix(count))
        }
    }

    @Test func writtenBytesComeBack() async throws {
        try await withEcho { echo, port in
            let clients = try (0..<5).map { _ in try LoopbackClient(port: port) }
            for (number, client) in clients.enumerated() { try await client.send("hello \(number)") }
            for (number, client) in clients.enumerated() {
                #expect(try await receive(7, from: client) == Array("hello \(number)".utf8))
            }
            #expect(await echo.peers.allSatisfy(\.isLoopback))
            #expect(await echo.count == 5)
            #expect(await echo.sendsAtOnce == Array(repeating: true, count: 5))
        }
    }

    @Test func moreThanTheSystemHoldsAtOnceComesBackWhole() async throws {
        try await withEcho { _, port in
            let client = try LoopbackClient(port: port)
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            try await client.send(bytes)
            #expect(try await receive(bytes.count, from: client) == bytes)
        }
    }

    @Test func halfClosedConnectionsStillAnswer() async throws {
        try await withEcho { _, port in
            let client = try LoopbackClient(port: port)
            try await client.send("last words")
            client.endWriting()
            #expect(try await client.receiveToEnd() == Array("last words".utf8))
        }
    }

    @Test func aSocketMovesToAnotherLoop() async throws {
        try await withEcho { first, port in
            let loop = EventLoop(name: "second")
            loop.start()
            let second = Echo(loop)
            let client = try LoopbackClient(port: port)
            try await client.send("one")
            #expect(try await receive(3, from: client) == Array("one".utf8))
            let descriptor = try #require(await first.giveAway())
            try await client.send("two")
            await second.adopt(descriptor)
            #expect(try await receive(3, from: client) == Array("two".utf8))
            #expect(await first.count == 0)
            #expect(await second.count == 1)
            await second.end()
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test func aPortInUseIsRefusedByName() async throws {
        try await withEcho { _, port in
            let loop = EventLoop(name: "second")
            loop.start()
            let second = Echo(loop)
            do {
                _ = try await second.listen(port: port)
                Issue.record("two exclusive listeners on one port")
            } catch {
                let text = "\(error)"
                #expect(text.contains("127.0.0.1") && text.contains("\(port)") && text.contains("in use"))
            }
            await second.end()
        }
    }

    @Test func severalLoopsShareAPort() async throws {
        guard Listener.canShare else { return }
        let echoes = (0..<2).map { Echo(EventLoop(name: "shared-\($0)")) }
        for echo in echoes { echo.loop.start() }
        let port = try await echoes[0].listen(shared: true)
        #expect(try await echoes[1].listen(port: port, shared: true) == port)
        // The system spreads connections by a hash of their addresses: of many, each loop gets some.
        var clients: [LoopbackClient] = []
        for _ in 0..<64 {
            let client = try LoopbackClient(port: port)
            try await client.send("x")
            #expect(try await receive(1, from: client) == Array("x".utf8))
            clients.append(client)
        }
        let counts = [await echoes[0].count, await echoes[1].count]
        #expect(counts.reduce(0, +) == 64)
        #expect(!counts.contains(0))
        for echo in echoes { await echo.end() }
    }
}
