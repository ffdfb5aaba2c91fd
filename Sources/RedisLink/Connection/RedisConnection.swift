internal import Crypto
internal import EventLoop
internal import Workers

/// Receives the events of a `RedisConnection`. Called on the loop.
protocol RedisConnectionDelegate: AnyObject {
    /// The connection is signed in and takes commands.
    func didConnect()
    func didReceive(_ value: RedisValue)
    /// The output of this turn is about to be sent. Commands written now leave with it.
    func willFlush()
    /// The connection, or an attempt to connect, failed. Another attempt follows by itself.
    func didDisconnect(reason: String)
    /// Nothing was received for a while: send a PING.
    func needsPing()
    /// An attempt reached a server that takes no writes.
    func didFindReplica(at peer: RedisPeer, reason: String)
}

extension RedisConnectionDelegate {
    func didFindReplica(at peer: RedisPeer, reason: String) {}
}

/// An input of a connection through its loop's queue.
enum RedisConnectionEvent: Sendable {
    case flush
    case resolved(attempt: UInt64, Result<[IPAddress], ConnectError>)
    /// What is known of the servers has changed.
    case located
}

/// A connection to Redis that restores itself: it connects, signs in, carries bytes, notices silence, and reconnects.
/// Confined to its loop.
final class RedisConnection: SocketHandler {
    private enum Phase {
        case idle, locating, resolving, connecting, securing, greeting, ready, waiting, closed
    }

    /// Reads in one go at most, so that one busy connection does not starve the loop's others.
    private static let readsPerTurn = 64

    let options: RedisOptions
    let loop: EventLoop
    weak var delegate: (any RedisConnectionDelegate)?
    private let locator: any ServerLocator
    private let kind: Greeting.Kind
    private let post: @Sendable (RedisConnectionEvent) -> Void

    private var phase = Phase.idle
    /// The number of the current attempt to connect. Events of earlier attempts are ignored.
    private var attempt: UInt64 = 0
    private var search = ServerSearch()
    private var transport: Transport?
    private var greeting: Greeting?
    private var backoff: Backoff
    private var random = SystemRandomNumberGenerator()

    private var reader: ReplyReader
    private let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var output = OutputBuffer()
    private var isFlushDue = false

    // Milliseconds of the loop's clock.
    private var readySince: Int64 = 0
    private var lastReceived: Int64 = 0
    private var pingedAt: Int64?

    /// - Parameter post: brings an event back to `handle` by way of the loop's queue.
    init(
        _ locator: any ServerLocator, _ options: RedisOptions, greets kind: Greeting.Kind = .primary,
        on loop: EventLoop,
        post: @escaping @Sendable (RedisConnectionEvent) -> Void
    ) {
        self.locator = locator
        self.kind = kind
        self.options = options
        self.loop = loop
        self.post = post
        reader = ReplyReader(maximumBytes: options.maximumReplyBytes)
        backoff = Backoff(base: options.backoffBase, limit: options.backoffLimit)
        locator.observe { post(.located) }
    }

    deinit { space.deallocate() }

    var isReady: Bool { phase == .ready }
    /// Where the connection is or is being made to.
    var peer: RedisPeer? { search.peer }
    var pendingBytes: Int { output.count }

    /// Begins to connect, and continues until `close`.
    func open() {
        guard phase == .idle || phase == .locating || phase == .waiting else { return }
        attempt += 1
        perform(search.begin(locator.location))
    }

    func close() {
        dropConnection()
        phase = .closed
    }

    func handle(_ event: RedisConnectionEvent) {
        switch event {
        case .flush:
            delegate?.willFlush()
            isFlushDue = false
            flush()
        case .resolved(let attempt, let result):
            guard attempt == self.attempt, phase == .resolving else { return }
            perform(search.resolved(result))
        case .located: located()
        }
    }

    // MARK: Connecting

    private func located() {
        switch phase {
        case .locating: open()
        case .waiting:
            if search.didChange(to: locator.location) { open() }
        case .resolving, .connecting, .securing, .greeting, .ready:
            guard search.didChange(to: locator.location) else { return }
            pause(after: "another server has become the primary")
            open()
        case .idle, .closed: break
        }
    }

    private func perform(_ step: ServerSearch.Step) {
        switch step {
        case .wait: phase = .locating
        case .resolve(let host):
            phase = .resolving
            let (attempt, post) = (attempt, post)
            NameResolver.resolve(host) { post(.resolved(attempt: attempt, $0)) }
        case .connect(let peer): connect(to: peer)
        case .giveUp(let reason): pause(after: reason)
        }
    }

    private func connectNext(after reason: String) {
        dropConnection()
        perform(search.next(after: reason))
    }

    private func connect(to peer: RedisPeer) {
        phase = .connecting
        do throws(ConnectError) {
            let socket = try Socket.connect(to: peer.address, port: peer.port, on: loop)
            transport = Transport(socket)
            socket.setHandler(self)
            socket.watch(readable: false, writable: true)
        } catch {
            return connectNext(after: error.description)
        }
        scheduleInThisAttempt(after: options.connectTimeout) { connection in
            if !connection.isReady {
                connection.connectNext(after: "no answer within \(connection.options.connectTimeout)")
            }
        }
    }

    private func connected(_ transport: Transport) {
        if let error = transport.socket.takeConnectError() { return connectNext(after: error.description) }
        guard let endpoint = search.endpoint, let trust = endpoint.access.tls else { return greet() }
        do throws(TLSError) {
            try transport.secure(TLSClientContext(trusting: trust), host: endpoint.address.host)
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
        guard let endpoint = search.endpoint else { return }
        phase = .greeting
        let greeting = Greeting(endpoint.access, of: kind)
        self.greeting = greeting
        let commands = greeting.commands
        output.append { bytes in for command in commands { RESPWriter.write(command, into: &bytes) } }
        flush()
    }

    private func greeted(_ value: RedisValue) {
        guard let action = greeting?.receive(value) else { return }
        switch action {
        case .wait: break
        case .refused(let reason): fail(reason)
        case .notPrimary(let reason):
            if let peer { delegate?.didFindReplica(at: peer, reason: reason) }
            connectNext(after: reason)
        case .done:
            phase = .ready
            greeting = nil
            readySince = loop.monotonicMilliseconds
            lastReceived = readySince
            watchLiveness()
            delegate?.didConnect()
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
        case .idle, .locating, .resolving, .waiting, .closed: break
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
            // TLS may have to read something first. Every read is followed by a flush.
            case .wantRead:
                transport.socket.watch(readable: true, writable: false)
                return
            case .wantWrite: blocked = true
            case .broken(let reason): return fail(reason)
            }
        }
        transport.socket.watch(readable: true, writable: blocked)
    }

    private func receive() {
        let attempt = attempt
        for _ in 0..<Self.readsPerTurn {
            guard let transport, attempt == self.attempt else { return }
            switch transport.read(into: space) {
            case .bytes(let count):
                parse(UnsafeRawBufferPointer(rebasing: space[..<count]))
                // TLS gives out one record at a time, however many there are.
                if count < space.count, !transport.isSecure { return }
            case .wantRead, .wantWrite: return
            case .broken(let reason): return fail(reason)
            }
        }
        // TLS may hold bytes that the socket does not announce, so the rest is read in the next turn without waiting for it.
        scheduleInThisAttempt(after: .zero) { $0.receive() }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) {
        lastReceived = loop.monotonicMilliseconds
        pingedAt = nil
        let attempt = attempt
        do throws(MalformedReply) {
            try reader.feed(bytes)
            while attempt == self.attempt, let value = try reader.next() {
                if phase == .greeting { greeted(value) } else { delegate?.didReceive(value) }
            }
        } catch {
            fail("malformed reply: \(error.reason)")
        }
    }

    // MARK: Silence and failure

    private func watchLiveness() {
        scheduleInThisAttempt(after: options.livenessInterval) { connection in
            connection.checkLiveness()
            if connection.isReady { connection.watchLiveness() }
        }
    }

    private func checkLiveness() {
        let now = loop.monotonicMilliseconds
        guard Duration.milliseconds(now - lastReceived) >= options.livenessInterval, pingedAt == nil else { return }
        pingedAt = now
        delegate?.needsPing()
        scheduleInThisAttempt(after: options.livenessTimeout) { connection in
            guard connection.pingedAt == now else { return }
            connection.fail(
                "no answer to PING, silent for \(connection.loop.monotonicMilliseconds - connection.lastReceived) ms")
        }
    }

    /// Ends the connection, or what an attempt is at. An attempt goes on with the next address, if there is one.
    func fail(_ reason: String) {
        switch phase {
        case .connecting, .securing, .greeting: connectNext(after: reason)
        case .ready: pause(after: reason)
        case .idle, .locating, .resolving, .waiting, .closed: break
        }
    }

    /// Ends the connection or the attempt, and begins another after a pause.
    private func pause(after reason: String) {
        if isReady, Duration.milliseconds(loop.monotonicMilliseconds - readySince) >= options.backoffLimit {
            backoff.reset()
        }
        dropConnection()
        search.end()
        phase = .waiting
        scheduleInThisAttempt(after: backoff.nextDelay(using: &random)) { $0.open() }
        delegate?.didDisconnect(reason: reason)
    }

    private func dropConnection() {
        attempt += 1
        transport?.close()
        transport = nil
        output.clear()
        pingedAt = nil
        reader = ReplyReader(maximumBytes: options.maximumReplyBytes)
    }

    /// Runs `action` unless the connection has changed meanwhile.
    private func scheduleInThisAttempt(after span: Duration, _ action: @escaping (RedisConnection) -> Void) {
        let attempt = attempt
        loop.schedule(after: span) { [weak self] in
            if let self, attempt == self.attempt { action(self) }
        }
    }
}
