internal import Crypto
internal import EventLoop
internal import Workers

/// What a wire tells whoever speaks over it. Called on the loop.
protocol WireHandler: AnyObject {
    /// Signed in; write from here on.
    func wireConnected()
    func wireReceived(_ value: RedisValue)
    /// The turn ends: the last moment to write what is to leave with it.
    func wireWillFlush()
    /// The connection, or an attempt at one, came to nothing; another follows by itself.
    func wireDisconnected(reason: String)
    /// Nothing came for a while: ask for a sign of life.
    func wireWantsSignOfLife()
    /// A server was tried that cannot be written to.
    func wireFoundReplica(reason: String)
}

extension WireHandler {
    func wireFoundReplica(reason: String) {}
}

/// What reaches a wire by way of its loop's queue.
enum WireEvent: Sendable {
    case flush
    case resolved(attempt: UInt64, Result<[IPAddress], ConnectError>)
}

/// A connection to Redis that keeps coming back: it connects, signs in, carries bytes, notices silence, and reconnects.
/// Confined to its loop.
final class RedisConnection: SocketHandler {
    private enum Phase {
        case idle, resolving, connecting, securing, greeting, ready, waiting, closed
    }

    /// Reads in one go at most, so that one busy connection does not starve the loop's others.
    private static let readsPerTurn = 64

    let options: RedisOptions
    let loop: EventLoop
    weak var handler: (any WireHandler)?
    private let endpoint: RedisEndpoint
    private let post: @Sendable (WireEvent) -> Void

    private var phase = Phase.idle
    /// Names one attempt to connect and what came of it; whatever belongs to an earlier one is ignored.
    private var attempt: UInt64 = 0
    private var candidates: [IPAddress] = []
    private var transport: Transport?
    private var greeting: Greeting
    private var backoff: Backoff
    private var random = SystemRandomNumberGenerator()

    private var reader: ReplyReader
    private let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var output = OutputBuffer()
    private var isFlushDue = false

    private var readySince: Int64 = 0
    private var lastHeard: Int64 = 0
    private var askedAt: Int64?

    /// - Parameter post: brings an event back to `handle` by way of the loop's queue.
    init(
        _ endpoint: RedisEndpoint, _ options: RedisOptions, on loop: EventLoop,
        post: @escaping @Sendable (WireEvent) -> Void
    ) {
        self.endpoint = endpoint
        self.options = options
        self.loop = loop
        self.post = post
        reader = ReplyReader(maximumBytes: options.maximumReplyBytes)
        greeting = Greeting(endpoint)
        backoff = Backoff(base: options.backoffBase, limit: options.backoffLimit)
    }

    deinit { space.deallocate() }

    var isReady: Bool { phase == .ready }
    var pendingBytes: Int { output.count }

    /// Begins to connect, and goes on until `close`.
    func open() {
        guard phase == .idle || phase == .waiting else { return }
        phase = .resolving
        attempt += 1
        let (attempt, post) = (attempt, post)
        NameResolver.resolve(endpoint.host) { post(.resolved(attempt: attempt, $0)) }
    }

    func close() {
        dropConnection()
        phase = .closed
    }

    func handle(_ event: WireEvent) {
        switch event {
        case .flush:
            handler?.wireWillFlush()
            isFlushDue = false
            flush()
        case .resolved(let attempt, let result):
            guard attempt == self.attempt, phase == .resolving else { return }
            switch result {
            case .success(let addresses):
                candidates = addresses
                connectNext(after: "the name has no address")
            case .failure(let error): fail(error.description)
            }
        }
    }

    // MARK: Connecting

    private func connectNext(after reason: String) {
        dropConnection()
        guard !candidates.isEmpty else { return fail(reason) }
        let address = candidates.removeFirst()
        phase = .connecting
        do throws(ConnectError) {
            let socket = try Socket.connect(to: address, port: endpoint.port, on: loop)
            transport = Transport(socket)
            socket.setHandler(self)
            socket.watch(readable: false, writable: true)
        } catch {
            return connectNext(after: error.description)
        }
        onlyInThisAttempt(after: options.connectTimeout) { wire in
            if !wire.isReady { wire.connectNext(after: "no answer within \(wire.options.connectTimeout) ms") }
        }
    }

    private func connected(_ transport: Transport) {
        if let error = transport.socket.takeConnectError() { return connectNext(after: error.description) }
        guard let trust = endpoint.tls else { return greet() }
        do throws(TLSError) {
            try transport.secure(TLSClientContext(trusting: trust), host: endpoint.host)
        } catch {
            return fail(error.description)
        }
        phase = .securing
        secure(transport)
    }

    private func secure(_ transport: Transport) {
        switch transport.handshake() {
        case .bytes: greet()
        case .wantRead: transport.socket.watch(readable: true, writable: false)
        case .wantWrite: transport.socket.watch(readable: true, writable: true)
        case .broken(let reason): fail(reason)
        }
    }

    private func greet() {
        phase = .greeting
        greeting = Greeting(endpoint)
        let commands = greeting.commands
        output.append { bytes in for command in commands { RESPWriter.write(command, into: &bytes) } }
        flush()
    }

    private func greeted(_ value: RedisValue) {
        switch greeting.receive(value) {
        case .wait: break
        case .refused(let reason): fail(reason)
        case .elsewhere(let reason):
            handler?.wireFoundReplica(reason: reason)
            connectNext(after: reason)
        case .done:
            phase = .ready
            candidates = []
            readySince = loop.monotonicMilliseconds
            lastHeard = readySince
            watchLiveness()
            handler?.wireConnected()
        }
    }

    // MARK: Transfer

    /// Queues bytes; those of one turn leave in one write.
    func write(_ encode: (inout [UInt8]) -> Void) {
        output.append(encode)
        scheduleFlush()
    }

    func scheduleFlush() {
        guard !isFlushDue else { return }
        isFlushDue = true
        post(.flush)
    }

    func socketReady(readable: Bool, writable: Bool) {
        guard let transport else { return }
        switch phase {
        case .connecting: connected(transport)
        case .securing: secure(transport)
        case .greeting, .ready:
            if readable { receive() }
            flush()
        case .idle, .resolving, .waiting, .closed: break
        }
    }

    private func flush() {
        guard phase == .greeting || phase == .ready, let transport else { return }
        var blocked = false
        while !output.isEmpty, !blocked {
            let outcome = output.drain { bytes in
                let outcome = transport.write(bytes)
                if case .bytes(let count) = outcome { return (count, outcome) }
                return (0, outcome)
            }
            switch outcome {
            case .bytes: break
            // TLS may have to hear something first; every read is followed by a flush.
            case .wantRead, .wantWrite: blocked = true
            case .broken(let reason): return fail(reason)
            }
            if outcome == .wantRead { return transport.socket.watch(readable: true, writable: false) }
        }
        transport.socket.watch(readable: true, writable: blocked)
    }

    private func receive() {
        let attempt = attempt
        for _ in 0..<Self.readsPerTurn {
            guard let transport, attempt == self.attempt else { return }
            switch transport.read(into: space) {
            case .bytes(let count): digest(UnsafeRawBufferPointer(rebasing: space[..<count]))
            case .wantRead, .wantWrite: return
            case .broken(let reason): return fail(reason)
            }
        }
        // TLS may hold more than the socket shows, so the rest is not left to the socket to announce.
        onlyInThisAttempt(after: 0) { $0.receive() }
    }

    private func digest(_ bytes: UnsafeRawBufferPointer) {
        lastHeard = loop.monotonicMilliseconds
        askedAt = nil
        let attempt = attempt
        do throws(MalformedReply) {
            try reader.feed(bytes)
            while attempt == self.attempt, let value = try reader.next() {
                if phase == .greeting { greeted(value) } else { handler?.wireReceived(value) }
            }
        } catch {
            fail("malformed reply: \(error.reason)")
        }
    }

    // MARK: Silence and failure

    private func watchLiveness() {
        onlyInThisAttempt(after: options.livenessInterval) { wire in
            wire.checkLiveness()
            if wire.isReady { wire.watchLiveness() }
        }
    }

    private func checkLiveness() {
        let now = loop.monotonicMilliseconds
        guard now - lastHeard >= options.livenessInterval, askedAt == nil else { return }
        askedAt = now
        handler?.wireWantsSignOfLife()
        onlyInThisAttempt(after: options.livenessTimeout) { wire in
            guard wire.askedAt == now else { return }
            wire.fail("no sign of life for \(wire.loop.monotonicMilliseconds - wire.lastHeard) ms")
        }
    }

    /// Ends the connection or the attempt, and makes another after a while.
    func fail(_ reason: String) {
        guard phase != .closed, phase != .waiting else { return }
        if isReady, loop.monotonicMilliseconds - readySince >= options.backoffLimit { backoff.reset() }
        dropConnection()
        candidates = []
        phase = .waiting
        let wait = backoff.next(using: &random)
        onlyInThisAttempt(after: wait) { $0.open() }
        handler?.wireDisconnected(reason: reason)
    }

    private func dropConnection() {
        attempt += 1
        transport?.close()
        transport = nil
        output.clear()
        askedAt = nil
        reader = ReplyReader(maximumBytes: options.maximumReplyBytes)
    }

    /// Runs `action` unless the connection has changed meanwhile.
    private func onlyInThisAttempt(after milliseconds: Int64, _ action: @escaping (RedisConnection) -> Void) {
        let attempt = attempt
        loop.schedule(after: milliseconds) { [weak self] in
            if let self, attempt == self.attempt { action(self) }
        }
    }
}
