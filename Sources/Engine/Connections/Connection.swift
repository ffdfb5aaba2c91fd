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
        case finishing
        case closed
    }

    public let peer: IPAddress
    let context: EngineContext
    let socket: Socket
    var tls: TLSSession?
    var phase: Phase
    /// Bytes read and not understood yet, or not wanted yet while paused.
    var leftover: [UInt8] = []
    var output = OutputQueue()
    var isTouched = false
    var isBlocked = false
    /// What is queued is counted among the bytes that wait for slow readers.
    var isBehind = false
    /// Queued bytes from which on it is asked whether more may be queued.
    var outputMark = Int.max
    var allowance = QueueAllowance()
    /// Whether the peer has said who it is; until then little may wait for it.
    public var isStranger = false { didSet { markOutput() } }
    /// What waits for the queue to be short again.
    var drainWaiter: DrainWaiter?
    /// A request that came before there was room for its answer.
    var isHeldUp = false
    var isPaused = false
    private var isDecoding = false
    private var isQueuedForDecoding = false
    var hasPeerEnded = false
    var shutsDownAfterFlush = false
    /// What was queued when a lingering connection was last looked at.
    var bytesAtLinger = 0
    /// How long a lingering connection may go without taking anything of that, in milliseconds.
    var stallMilliseconds: Int64 = 0
    var timer: TimerID?
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
    func releaseSocket() -> (descriptor: Int32, session: TLSSession?, leftover: [UInt8])? {
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
        case .finishing, .closed: false
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
            case .finishing, .closed:
                context.input.consume(context.input.count)
                return
            case .handshakingTLS: return
            }
        }
    }

    private func keepRemainder() {
        leftover = isOpen ? context.input.takeRemainder() : []
        // A client may send the next request before the last is answered, but not without end.
        if case .http(let exchange) = phase, exchange.isAnswering || isHeldUp, leftover.count > EngineContext.chunkBytes
        {
            pause()
        }
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
        case .finishing: !output.isEmpty
        default: false
        }
    }

    /// Ends a connection whose peer will say no more, once what it said before is answered.
    private func endUnlessAnswering() {
        guard hasPeerEnded, case .http(let exchange) = phase else { return }
        guard exchange.isAnswering else { return finishWriting() }
        exchange.isLast = leftover.isEmpty
    }

    /// Bytes that came and were not understood yet.
    var hasUnread: Bool { !leftover.isEmpty }

    /// Whether the peer has to take answers before it gets another.
    var owesReading: Bool { output.count > context.configuration.softOutputLimit }

    func watch() { socket.watch(readable: !isPaused && !hasPeerEnded, writable: isBlocked) }

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
}
