import Crypto
public import EventLoop
import Telemetry
import WireProtocols

/// One accepted socket: HTTP/1.1 at first, then perhaps a WebSocket. Confined to its loop.
///
/// It reads what its handler is ready for, queues what it is given, and writes once a turn.
public final class Connection: SocketHandler {
    enum Phase {
        case handshakingTLS
        /// Reading requests; `isAnswering` while one is with the handler.
        case http(HTTPExchange)
        case webSocket(WebSocketLink)
        /// Everything was said; what is queued goes out, what comes in is dropped, then the socket closes.
        case lingering
        case closed
    }

    public let peer: IPAddress
    let context: EngineContext
    let socket: Socket
    private var tls: TLSSession?
    var phase: Phase
    /// Bytes read and not understood yet, or not wanted yet while paused.
    private var leftover: [UInt8] = []
    private(set) var output = OutputQueue()
    private var isTouched = false
    private var isBlocked = false
    /// What is queued is counted among the bytes that wait for slow readers.
    private var isBehind = false
    private(set) var isPaused = false
    private var isDecoding = false
    private var isQueuedForDecoding = false
    private var hasPeerEnded = false
    private var shutsDownAfterFlush = false
    /// What was queued when a lingering connection was last looked at.
    private var bytesAtLinger = 0
    /// How long a lingering connection may go without taking anything of that, in milliseconds.
    private var stallMilliseconds: Int64 = 0
    private var timer: TimerID?
    /// When the peer was last heard.
    private(set) var lastHeard: Int64
    /// Whether messages to this WebSocket may be compressed by the shared compressor.
    public internal(set) var compressesOutput = false
    /// Whether a peer that ends its side while its request is answered is taken as gone: true for long polls, whose
    /// answer would otherwise be lost on it.
    public var treatsEndAsGone = false
    /// Anything the connection's user wants to keep with it, such as who was counted for it.
    public var attachment: AnyObject?

    init(socket: Socket, peer: IPAddress, context: EngineContext) {
        self.socket = socket
        self.peer = peer
        self.context = context
        tls = try? context.tls?.accept(on: socket.descriptor)
        lastHeard = context.loop.monotonicMilliseconds
        phase = context.tls == nil ? .http(HTTPExchange(context.configuration)) : .handshakingTLS
    }

    /// Goes on where another loop's connection left off.
    init(socket: Socket, resuming detached: DetachedConnection, context: EngineContext) {
        self.socket = socket
        peer = detached.peer
        self.context = context
        tls = detached.tls
        leftover = detached.leftover
        lastHeard = context.loop.monotonicMilliseconds
        phase = .http(detached.exchange)
        socket.setHandler(self)
        socket.watch(readable: true, writable: false)
    }

    /// Gives up the socket without a word; the connection is over here.
    func surrender() -> (descriptor: Int32, session: TLSSession?, leftover: [UInt8])? {
        guard output.isEmpty else { return nil }
        let session = tls
        let rest = isDecoding ? context.input.takeRemainder() : leftover
        phase = .closed
        cancelTimer()
        leftover = []
        tls = nil
        context.remove(self)
        return (socket.detach(), session, rest)
    }

    public var isSecure: Bool { tls != nil }
    public var isOpen: Bool {
        switch phase {
        case .lingering, .closed: false
        default: true
        }
    }

    /// Bytes queued and not taken by the kernel yet.
    public var queuedBytes: Int { output.count }

    func begin() {
        context.metrics.accepted.add()
        socket.setHandler(self)
        socket.watch(readable: true, writable: false)
        setTimer(after: context.configuration.headMilliseconds)
    }

    // MARK: Reading

    public func socketReady(readable: Bool, writable: Bool) {
        if writable {
            isBlocked = false
            touch()
        }
        if case .handshakingTLS = phase { return handshakeTLS() }
        if readable { read() }
    }

    private func handshakeTLS() {
        switch tls?.handshake() {
        case .bytes:
            phase = .http(HTTPExchange(context.configuration))
            socket.watch(readable: true, writable: false)
            read()
        case .wantRead: socket.watch(readable: true, writable: false)
        case .wantWrite: socket.watch(readable: false, writable: true)
        default: abort()
        }
    }

    private func read() {
        context.input.load(leftover: leftover)
        leftover = []
        var outcome = IOResult.wouldBlock
        // Not endless, so that one fast sender does not starve the others; what is left is reported again.
        for _ in 0..<4 {
            var space = 0
            context.input.withFreeSpace(atLeast: EngineContext.chunkBytes / 2) { free in
                space = free.count
                outcome = receive(free)
                if case .bytes(let count) = outcome { return count }
                return 0
            }
            guard case .bytes(let count) = outcome else { break }
            context.metrics.bytesRead.add(count)
            lastHeard = context.loop.monotonicMilliseconds
            decode()
            // TLS gives out one record at a time, however many there are.
            if isPaused || (count < space && tls == nil) { break }
        }
        keepRemainder()
        switch outcome {
        case .endOfStream: peerEnded()
        case .failed: abort()
        default: break
        }
    }

    private func receive(_ space: UnsafeMutableRawBufferPointer) -> IOResult {
        guard let tls else { return socket.read(into: space) }
        switch tls.read(into: space) {
        case .bytes(let count): return .bytes(count)
        case .wantRead, .wantWrite: return .wouldBlock
        case .closed: return .endOfStream
        case .failed: return .failed(0)
        }
    }

    /// Understands what is in the shared buffer, as far as the handler takes it.
    private func decode() {
        isDecoding = true
        defer { isDecoding = false }
        while !isPaused {
            switch phase {
            case .http(let exchange):
                guard exchange.step(self, context) else { return }
            case .webSocket(let link):
                guard link.step(self, context) else { return }
            case .lingering, .closed:
                context.input.consume(context.input.count)
                return
            case .handshakingTLS: return
            }
        }
    }

    private func keepRemainder() {
        leftover = isOpen ? context.input.takeRemainder() : []
        // A client may send the next request before the last is answered, but not without end.
        if case .http(let exchange) = phase, exchange.isAnswering, leftover.count > EngineContext.chunkBytes { pause() }
    }

    private func peerEnded() {
        guard mayStillBeRead else { return abort() }
        hasPeerEnded = true
        watch()
        endUnlessAnswering()
    }

    /// A client may have ended its side and still read what it asked for.
    private var mayStillBeRead: Bool {
        switch phase {
        case .http(let exchange): exchange.isAnswering ? !treatsEndAsGone : !output.isEmpty
        case .lingering: !output.isEmpty
        default: false
        }
    }

    /// Ends a connection whose peer will say no more, once what it said before is answered.
    private func endUnlessAnswering() {
        guard hasPeerEnded, case .http(let exchange) = phase else { return }
        guard exchange.isAnswering else { return linger() }
        exchange.isLast = leftover.isEmpty
    }

    /// Bytes that came and were not understood yet.
    var hasUnread: Bool { !leftover.isEmpty }

    private func watch() { socket.watch(readable: !isPaused && !hasPeerEnded, writable: isBlocked) }

    /// Stops reading and decoding until `resume`.
    public func pause() {
        guard !isPaused else { return }
        isPaused = true
        watch()
    }

    /// Goes on reading at the end of this turn.
    public func resume() {
        guard isPaused else { return }
        isPaused = false
        watch()
        decodeLater()
    }

    /// Goes on behind a request that was answered, which may have been held up by too many behind it.
    func readOn() {
        if isPaused { resume() } else { decodeLater() }
    }

    /// Looks at what was left unread, at the end of this turn unless that is going on already.
    func decodeLater() {
        guard !isDecoding, !isQueuedForDecoding, !leftover.isEmpty || tls != nil || isPaused else { return }
        isQueuedForDecoding = true
        context.resumeLater(self)
    }

    func continueReading() {
        isQueuedForDecoding = false
        guard isOpen, !isPaused else { return }
        context.input.load(leftover: leftover)
        leftover = []
        decode()
        keepRemainder()
        endUnlessAnswering()
    }

    // MARK: Writing

    /// Queues bytes for the end of the turn. Droppable ones are left out when the peer is behind.
    @inline(__always)
    public func send(_ bytes: [UInt8], isDroppable: Bool = false) {
        guard isOpen else { return }
        // Only what the kernel refused counts: a large answer is not slowness.
        if isBlocked, !mayQueue(bytes.count, isDroppable: isDroppable) { return }
        output.append(bytes)
        touch()
    }

    /// Queues the connection's last words.
    func sendLast(_ bytes: [UInt8]) {
        output.append(bytes)
        touch()
    }

    private func mayQueue(_ count: Int, isDroppable: Bool) -> Bool {
        if isDroppable, output.count + count > context.configuration.softOutputLimit {
            context.metrics.dropped.add()
            return false
        }
        guard output.count + count <= context.configuration.hardOutputLimit else {
            context.metrics.slowConsumers.add()
            closeSlowly()
            return false
        }
        return true
    }

    /// A reader this far behind gets nothing more but the reason, if it takes even that.
    private func closeSlowly() {
        // A refused TLS write has to be repeated as it was.
        if tls == nil, case .webSocket(let link) = phase {
            output.dropUnbegun()
            link.close(self, code: 4008, reason: "too slow")
        } else {
            abort()
        }
    }

    func touch() {
        guard !isTouched else { return }
        isTouched = true
        context.touch(self)
    }

    func flush(scratch: UnsafeMutableRawBufferPointer) {
        isTouched = false
        while !output.isEmpty, !isBlocked {
            let result = output.write(scratch: scratch) { bytes in
                let result = transmit(bytes)
                if case .bytes(let count) = result {
                    // A short write means the kernel is full: another try would only be refused.
                    return (count, count < bytes.count ? .wouldBlock : result)
                }
                return (0, result)
            }
            switch result {
            case .bytes: continue
            case .wouldBlock: isBlocked = true
            default: return abort()
            }
        }
        if case .closed = phase { return }
        if isBlocked || isBehind { isBehind = context.noteBacklog(of: self, bytes: output.count) }
        watch()
        if output.isEmpty, shutsDownAfterFlush { endOutput() }
    }

    private func transmit(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        context.metrics.writes.add()
        let result: IOResult
        if let tls {
            switch tls.write(bytes) {
            case .bytes(let count): result = .bytes(count)
            case .wantRead, .wantWrite: result = .wouldBlock
            case .closed, .failed: result = .failed(0)
            }
        } else {
            result = socket.write(bytes)
        }
        if case .bytes(let count) = result { context.metrics.bytesWritten.add(count) }
        return result
    }

    // MARK: Ending

    /// Sends what is queued, tells the peer that this was all, and waits a little for it to go.
    func linger() {
        guard isOpen else { return }
        // An answer may be long, and the system takes it in large bites from a slow reader; a WebSocket's close is not.
        if case .http = phase {
            stallMilliseconds = context.configuration.bodyMilliseconds
        } else {
            stallMilliseconds = context.configuration.lingerMilliseconds
        }
        leave(.lingering)
        isPaused = false
        shutsDownAfterFlush = true
        bytesAtLinger = output.count
        setTimer(after: stallMilliseconds)
        touch()
    }

    /// Gives up a peer that neither goes nor takes what is left for it.
    private func lingerOn() {
        guard !output.isEmpty, output.count < bytesAtLinger else { return abort() }
        bytesAtLinger = output.count
        setTimer(after: stallMilliseconds)
    }

    private func endOutput() {
        shutsDownAfterFlush = false
        tls?.shutdown()
        socket.shutdownWriting()
        // Who has ended its side already will not be heard of again.
        if hasPeerEnded { abort() } else { setTimer(after: context.configuration.lingerMilliseconds) }
    }

    /// Ends the connection once the answer at hand is written.
    public func closeAfterAnswer() {
        if case .http(let exchange) = phase { exchange.isLast = true }
    }

    /// Ends the connection at once, with whatever is queued.
    public func abort() {
        if case .closed = phase { return }
        leave(.closed)
        cancelTimer()
        output.clear()
        if isBehind { isBehind = context.noteBacklog(of: self, bytes: 0) }
        leftover = []
        tls = nil
        socket.close()
        attachment = nil
        context.remove(self)
    }

    /// Tells the handler of the phase that is left; it must not hear of this connection again.
    private func leave(_ next: Phase) {
        let left = phase
        phase = next
        switch left {
        case .http(let exchange) where exchange.isAnswering: context.handler?.abandoned(self)
        case .webSocket(let link): link.ended(self)
        default: break
        }
    }

    // MARK: Time

    func cancelTimer() {
        if let timer { context.loop.cancel(timer) }
        timer = nil
    }

    func setTimer(after milliseconds: Int64) {
        cancelTimer()
        timer = context.loop.schedule(after: milliseconds) { [self] in
            timer = nil
            timeOut()
        }
    }

    private func timeOut() {
        switch phase {
        case .http(let exchange): exchange.timedOut(self)
        case .webSocket(let link): link.tick(self, context)
        case .handshakingTLS: abort()
        case .lingering: lingerOn()
        case .closed: break
        }
    }
}
