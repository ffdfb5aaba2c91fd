import Crypto
public import EventLoop
import Telemetry
import WireProtocols

/// One accepted socket: HTTP/1.1 at first, then perhaps a WebSocket. Confined to its loop.
///
/// It reads as much as its handler is ready for, queues output, and writes once a turn. The rules are elsewhere: those of each
/// protocol in `HTTPExchange` and `WebSocketLink`, those of unread bytes in `ConnectionInput`, those of the queue in
/// `ConnectionOutput`. Here they meet the socket, the clock and the handler.
public final class Connection: SocketHandler {
    private enum Phase {
        case handshakingTLS
        case http(HTTPExchange)
        case webSocket(WebSocketLink, any WebSocketHandler)
        /// Queued bytes still go out; bytes that come in are dropped.
        indirect case finishing(FinalWrite)
        /// Everything is written, and the peer has to close its side.
        case finished
        case closed
    }

    struct OutputState: OptionSet {
        let rawValue: UInt8

        static let waitsForFlush = Self(rawValue: 1)
        /// The connection is among those that end their patience together.
        static let isPatient = Self(rawValue: 2)
        /// Queued bytes are counted among those that wait for slow readers.
        static let isInBacklog = Self(rawValue: 4)
    }

    /// The other end of the socket: a proxy's address behind a proxy.
    public let peer: IPAddress
    let context: EngineContext
    var transport: ConnectionTransport
    private var phase: Phase
    // There are very many connections: small fields stand together, so that none costs more than its size.
    var input: ConnectionInput
    var outputState: OutputState = []
    /// Whether messages to this WebSocket may be compressed by the shared compressor.
    public private(set) var compressesOutput = false
    /// What waits to go out with other output.
    var patientOutput = PatientFrames.List()
    var output = ConnectionOutput()
    /// Whether the peer has not identified itself yet; until it has, little may wait for it.
    public var isStranger = false { didSet { updateMark() } }
    /// Whether a peer that ends its side while its request is answered is taken as gone: true for long polls, whose
    /// answer would otherwise be lost on it.
    public var treatsEndAsGone = false
    /// When bytes last came, in monotonic milliseconds.
    private var lastHeard: Int64
    /// An object that the handler keeps with the connection.
    public var attachment: AnyObject?
    /// When the time of what the connection waits for is over, in monotonic milliseconds; `Int64.max` for no such time.
    private var deadline = Int64.max
    private var timer = DeadlineTimer()

    init(socket: Socket, peer: IPAddress, context: EngineContext) {
        self.peer = peer
        self.context = context
        transport = ConnectionTransport(socket, tls: try? context.tls?.accept(on: socket.descriptor))
        input = ConnectionInput()
        lastHeard = context.loop.monotonicMilliseconds
        phase = context.tls == nil ? .http(Self.makeExchange(context.configuration)) : .handshakingTLS
    }

    private static func makeExchange(_ configuration: EngineConfiguration) -> HTTPExchange {
        HTTPExchange(
            maximumBodyBytes: configuration.maximumBodyBytes, minimumProgress: configuration.minimumBodyProgress)
    }

    /// The HTTP side; nil before it and once it is over.
    var exchange: HTTPExchange? { if case .http(let exchange) = phase { exchange } else { nil } }

    /// The WebSocket side; nil before the upgrade and once it is over.
    var link: WebSocketLink? { if case .webSocket(let link, _) = phase { link } else { nil } }

    /// Whether the bytes travel over TLS.
    public var isSecure: Bool { transport.isSecure }

    /// The request that is being answered makes the connection a WebSocket.
    func didUpgrade(to link: WebSocketLink, _ handler: any WebSocketHandler, compressesOutput: Bool) {
        exchange?.didUpgrade()
        // An idle WebSocket does not wait for requests, and there are very many of them.
        timer.cancel(on: context.loop)
        phase = .webSocket(link, handler)
        self.compressesOutput = compressesOutput
        updateMark()
    }

    var isClosed: Bool { if case .closed = phase { true } else { false } }

    /// Whether output is still taken.
    public var isOpen: Bool {
        switch phase {
        case .finishing, .finished, .closed: false
        default: true
        }
    }

    private var configuration: EngineConfiguration { context.configuration }

    /// Answers to requests go out one at a time, however long; a WebSocket's queue is judged once it is not short.
    private func updateMark() {
        guard case .webSocket = phase else { return output.mark = .max }
        output.mark = isStranger ? configuration.strangerOutputLimit : configuration.softOutputLimit
    }

    func begin() {
        context.metrics.accepted.add()
        transport.setHandler(self)
        transport.watch(readable: true, writable: false)
        setTimer(after: configuration.headTimeout)
    }

    // MARK: Reading

    /// The socket is ready; called by its loop.
    public func socketReady(readable: Bool, writable: Bool) {
        if writable {
            output.didBecomeWritable()
            scheduleFlush()
        }
        if case .handshakingTLS = phase { return handshakeTLS() }
        if readable { read() }
    }

    private func handshakeTLS() {
        switch transport.handshake() {
        case .complete:
            phase = .http(Self.makeExchange(configuration))
            transport.watch(readable: true, writable: false)
            read()
        case .wantRead: transport.watch(readable: true, writable: false)
        case .wantWrite: transport.watch(readable: false, writable: true)
        case .failed: abort()
        }
    }

    private func read() {
        context.input.load(leftover: input.takeUnread())
        var outcome = IOResult.wouldBlock
        // Not endless, so that one fast sender does not starve the others; bytes left in the kernel are reported again.
        for _ in 0..<4 {
            var space = 0
            context.input.withFreeSpace(atLeast: EngineContext.chunkBytes / 2) { free in
                space = free.count
                outcome = transport.read(into: free)
                if case .bytes(let count) = outcome { return count }
                return 0
            }
            guard case .bytes(let count) = outcome else { break }
            context.metrics.bytesRead.add(count)
            lastHeard = context.loop.monotonicMilliseconds
            decode()
            // TLS gives out one record at a time, however many there are.
            if input.isPaused || (count < space && !isSecure) { break }
        }
        keepRemainder()
        switch outcome {
        case .endOfStream: peerEnded()
        case .failed: abort()
        default: break
        }
    }

    /// Decodes the shared buffer, as far as the handler takes it.
    private func decode() {
        input.beginDecoding()
        defer { input.endDecoding() }
        while !input.isPaused {
            switch phase {
            case .http(let exchange): guard isReady(for: exchange), readRequest(exchange) else { return }
            case .webSocket(let link, let handler): guard readMessage(link, handler) else { return }
            case .finishing, .finished, .closed: return context.input.consume(context.input.count)
            case .handshakingTLS: return
            }
        }
    }

    /// Whether another request is read now: the one before was answered, and its answer has not piled up unread. A streamed body
    /// is read while its receiver takes it.
    private func isReady(for exchange: HTTPExchange) -> Bool {
        guard exchange.takesInput else { return false }
        guard !exchange.isStreaming else { return true }
        input.isHeldUp = owesReading
        return !input.isHeldUp
    }

    /// Whether the peer has to take answers before it gets another.
    var owesReading: Bool { output.count > configuration.softOutputLimit }

    private func keepRemainder() {
        input.keep(isOpen ? context.input.takeRemainder() : [])
        // A client may send the next request before the last is answered, but not without end.
        if case .http(let exchange) = phase, exchange.isAnswering || input.isHeldUp,
            input.unread.count > EngineContext.chunkBytes
        {
            pause()
        }
    }

    private func peerEnded() {
        guard mayStillBeRead else { return abort() }
        input.receivedEnd()
        updateWatch()
        endUnlessAnswering()
    }

    /// A client may have ended its side and still read the answers to its requests.
    private var mayStillBeRead: Bool {
        switch phase {
        case .http(let exchange):
            exchange.isAnswering ? !treatsEndAsGone && !exchange.isStreaming : !output.isEmpty
        case .finishing: !output.isEmpty
        default: false
        }
    }

    /// Ends a connection whose peer has ended its side, once the requests before that are answered.
    private func endUnlessAnswering() {
        guard input.hasEnded, case .http(let exchange) = phase else { return }
        guard exchange.isAnswering else { return finishWriting() }
        if input.unread.isEmpty { exchange.endAfterAnswer() }
    }

    func updateWatch() {
        transport.watch(readable: input.wantsBytes, writable: output.isBlocked)
    }

    /// Stops reading and decoding until `resume`.
    public func pause() {
        if input.pause() { updateWatch() }
    }

    /// Continues to read at the end of this turn.
    public func resume() {
        guard input.resume() else { return }
        updateWatch()
        scheduleDecoding()
    }

    /// Continues behind a request that was answered, which may have paused the connection by too many behind it.
    func readOn() {
        if input.isPaused { resume() } else { scheduleDecoding() }
    }

    /// Decodes unread bytes at the end of this turn, unless they are being decoded already.
    private func scheduleDecoding() {
        let hasMore = isSecure || exchange?.isStreaming ?? false
        if input.requestDecoding(hasMore: hasMore) { context.decodeLater(self) }
    }

    func continueReading() {
        input.beginScheduledDecoding()
        guard isOpen, !input.isPaused else { return }
        context.input.load(leftover: input.takeUnread())
        decode()
        keepRemainder()
        endUnlessAnswering()
    }

    // MARK: Ending

    /// Sends the queued bytes and a last chunk, whatever their length, ends this side, and waits for the peer to close for a
    /// limited time.
    func finishWriting(with last: [UInt8] = []) {
        guard isOpen else { return }
        queuePatientOutput()
        output.append(last)
        // An answer may be long, and the system takes it in large bites from a slow reader; a WebSocket's close is not.
        let stallTimeout = if case .http = phase { configuration.bodyTimeout } else { configuration.closeTimeout }
        leave(.finishing(FinalWrite(queuedBytes: output.count, stallTimeout: stallTimeout)))
        input.discard()
        output.drainWaiter = nil
        setTimer(after: stallTimeout)
        scheduleFlush()
    }

    func endOutputIfFinishing() {
        guard case .finishing = phase else { return }
        phase = .finished
        transport.shutdownWriting()
        // A peer that has ended its side already has nothing more to send.
        if input.hasEnded { abort() } else { setTimer(after: configuration.closeTimeout) }
    }

    /// Ends the connection at once; queued bytes are dropped.
    public func abort() {
        guard !isClosed else { return }
        leave(.closed)
        timer.cancel(on: context.loop)
        context.patient.frames.drop(&patientOutput)
        output.clear()
        if outputState.contains(.isInBacklog) { noteBacklog(0) }
        input.keep([])
        transport.close()
        attachment = nil
        context.remove(self)
    }

    /// Notifies the handler of the phase that is left. It must not be called for this connection again.
    private func leave(_ next: Phase) {
        let left = phase
        phase = next
        switch left {
        case .http(let exchange):
            exchange.endStreams()
            if exchange.isAnswering { context.handler?.abandoned(self) }
        case .webSocket(let link, let handler): handler.closed(self, code: link.closeCode)
        default: break
        }
    }

    // MARK: Time

    /// Nothing is waited for any more. The loop's timer stays, as most connections soon wait again.
    func cancelTimer() { deadline = .max }

    func setTimer(after span: Duration) {
        deadline = context.loop.deadline(after: span)
        moveTimer()
    }

    private func moveTimer() {
        timer.move(to: deadline, on: context.loop) { [self] in
            timer.didFire()
            guard context.loop.monotonicMilliseconds >= deadline else { return moveTimer() }
            deadline = .max
            timeOut()
        }
    }

    private func timeOut() {
        switch phase {
        case .handshakingTLS, .finished: abort()
        case .http(let exchange):
            if checkStreams(exchange, isPaused: input.isPaused) { return }
            if let refusal = exchange.didTimeOut(hasUnread: !input.unread.isEmpty) {
                refuse(refusal)
            } else {
                finishWriting()
            }
        case .webSocket(let link, _): checkLiveness(link, lastHeard: lastHeard, isPaused: input.isPaused)
        case .finishing(var write):
            guard write.hasProgressed(to: output.count) else { return abort() }
            phase = .finishing(write)
            setTimer(after: write.stallTimeout)
        case .closed: break
        }
    }

    // MARK: Another loop

    /// Takes the connection off this loop while its request is unanswered; nil when it is past that.
    public func detach() -> Handover<DetachedConnection>? {
        guard case .http(let exchange) = phase, exchange.isAnswering, output.isEmpty else { return nil }
        let unread = input.isDecoding ? context.input.takeRemainder() : input.unread
        phase = .closed
        timer.cancel(on: context.loop)
        input.keep([])
        context.remove(self)
        let (descriptor, tls) = transport.detach()
        return Handover(
            DetachedConnection(descriptor: descriptor, peer: peer, tls: tls, exchange: exchange, unread: unread))
    }

    /// Continues where another loop's connection stopped.
    init(socket: Socket, resuming detached: DetachedConnection, context: EngineContext) {
        self.context = context
        peer = detached.peer
        transport = ConnectionTransport(socket, tls: detached.tls)
        input = ConnectionInput(unread: detached.unread)
        lastHeard = context.loop.monotonicMilliseconds
        phase = .http(detached.exchange)
        transport.setHandler(self)
        transport.watch(readable: true, writable: false)
    }
}

/// A connection on its way to another loop, with the request it waits to have answered.
public struct DetachedConnection {
    let descriptor: Int32
    let peer: IPAddress
    let tls: TLSSession?
    let exchange: HTTPExchange
    let unread: [UInt8]
}
