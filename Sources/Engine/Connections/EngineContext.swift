public import Compression
public import Crypto
public import EventLoop
public import Telemetry
import WireProtocols

/// The connections of one loop and their common parts: the read buffer, the compressor, the list of those with output to flush.
///
/// Confined to its loop.
public final class EngineContext {
    /// Read at once from a socket; also the scratch space for gathered writes.
    static let chunkBytes = 64 * 1024
    static let deflateWindowBits = 13
    /// Heads that are kept, at most. Each takes less than two kilobytes.
    private static let keptHeads = 4096
    /// A slice is at least this long, however little input a turn had.
    private static let shortestSlice: Duration = .milliseconds(1)
    /// Writes between two looks at the clock.
    static let writesBetweenLooks = 16

    /// The loop that everything here is confined to.
    public let loop: EventLoop
    /// The limits and times of its connections.
    public let configuration: EngineConfiguration
    /// The instruments, which contexts of several loops may share.
    public let metrics: EngineMetrics
    /// The log of the engine's own events. No content of a request goes to it.
    public let logger: Logger
    /// Takes the requests. Set once, before the first connection.
    public unowned var handler: (any EngineHandler)?
    let tls: TLSContext?
    let inflater: Inflater
    /// Compresses each message by itself, so that one result serves every receiver.
    public let deflater: Deflater
    /// Where the connection that is being read puts its bytes.
    var input = InputBuffer(capacity: EngineContext.chunkBytes)
    /// Heads of requests that came to the loop's connections lately.
    var heads = HTTPHeadMemory(capacity: EngineContext.keptHeads)
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: EngineContext.chunkBytes, alignment: 16)
    private var connections: Set<Identified> = []
    private var unflushed = FIFO<Connection>()
    let patient: PatientConnections
    private var undecoded = TurnQueue<Connection>()
    /// Bytes of each connection that the kernel did not take by the end of its last turn.
    private var backlogs: [ObjectIdentifier: Int] = [:]
    private var date: (second: Int64, text: String) = (-1, "")

    /// - Throws: when OpenSSL refuses the configured certificate or key.
    public init(
        loop: EventLoop, configuration: EngineConfiguration, metrics: EngineMetrics, logger: Logger
    ) throws(TLSError) {
        self.loop = loop
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        if let credentials = configuration.tls { tls = try TLSContext(credentials) } else { tls = nil }
        patient = PatientConnections(loop: loop)
        inflater = Inflater()
        deflater = Deflater(windowBits: Self.deflateWindowBits)
    }

    deinit { scratch.deallocate() }

    /// Uses another certificate for new handshakes. Existing connections continue; without TLS nothing changes.
    public func replaceTLSCredentials(_ credentials: TLSCredentials) throws(TLSError) {
        try tls?.replaceCredentials(credentials)
    }

    /// Forgets what was kept of requests. To be called now and then, as that holds credentials too.
    public func forgetHeads() { heads.removeAll() }

    // MARK: Connections

    /// Open connections of this loop.
    public var connectionCount: Int { connections.count }
    /// The open connections of this loop, in no order.
    public var allConnections: [Connection] { connections.map(\.connection) }

    /// Whether there are as many connections as may be. A session that polls is one, whatever sockets it comes over.
    var isFull: Bool {
        metrics.connections.value + metrics.pollingSessions.value >= configuration.maximumConnections
    }

    /// Takes over an accepted socket.
    public func adopt(descriptor: Int32, peer: IPAddress) {
        let isFull = self.isFull
        let connection = Connection(socket: Socket(descriptor: descriptor, loop: loop), peer: peer, context: self)
        add(connection)
        connection.begin()
        if isFull { connection.rejectOverCapacity() }
    }

    /// Takes over a connection of another loop; its request is to be answered here.
    public func adopt(_ handover: Handover<DetachedConnection>) -> Connection {
        let detached = handover.value
        let socket = Socket(descriptor: detached.descriptor, loop: loop)
        let connection = Connection(socket: socket, resuming: detached, context: self)
        add(connection)
        return connection
    }

    private func add(_ connection: Connection) {
        connections.insert(Identified(connection: connection))
        metrics.connections.add()
    }

    func remove(_ connection: Connection) {
        guard connections.remove(Identified(connection: connection)) != nil else { return }
        metrics.connections.subtract()
    }

    // MARK: Once a turn

    func flushLater(_ connection: Connection) { unflushed.append(connection) }

    /// Writes all queued output: one call per connection, as a rule.
    public func flush() {
        while let connection = unflushed.popFirst() { connection.flush(scratch: scratch) }
    }

    /// Writes queued output for about as long as the turn's input took; the rest has its time in the next turn, which begins at
    /// once. So a loop under load neither leaves input unread nor lets commits wait while it writes to thousands, and what comes
    /// for a connection meanwhile goes out in the same write.
    public func flushSlice() { flush(for: max(loop.turnTime, Self.shortestSlice)) }

    /// Writes queued output for this time; the rest waits for the next turn.
    func flush(for time: Duration) {
        guard !unflushed.isEmpty else { return }
        let clock = ContinuousClock()
        let end = clock.now + time
        while !unflushed.isEmpty {
            for _ in 0..<Self.writesBetweenLooks {
                guard let connection = unflushed.popFirst() else { return }
                connection.flush(scratch: scratch)
            }
            if clock.now >= end { return loop.turnAgain() }
        }
    }

    /// Writes a connection's queued bytes before the turn ends.
    func write(_ connection: Connection) { _ = connection.write(scratch: scratch) }

    /// Counts the queued bytes of a connection that is behind; whether it still is.
    func noteBacklog(of connection: Connection, bytes: Int) -> Bool {
        let id = ObjectIdentifier(connection)
        let before = bytes > 0 ? backlogs.updateValue(bytes, forKey: id) : backlogs.removeValue(forKey: id)
        metrics.queuedBytes.add(bytes - (before ?? 0))
        return bytes > 0
    }

    func decodeLater(_ connection: Connection) { undecoded.append(connection) }

    /// Whether `decodePending` has something to do.
    public var hasUndecoded: Bool { !undecoded.isEmpty }

    /// Decodes the unread bytes of connections whose handler is ready again. Not done at once: the shared buffer may be in use.
    /// Called at the end of a loop turn.
    public func decodePending() {
        guard !undecoded.isEmpty else { return }
        var batch = undecoded.take()
        for connection in batch { connection.continueReading() }
        undecoded.recycle(&batch)
    }

    // MARK: Answers

    func problem(_ refusal: HTTPRefusal) -> HTTPResponse {
        handler?.response(to: refusal) ?? HTTPResponse(status: refusal.status, fields: refusal.fields)
    }

    /// The `Date` header's value, made once a second.
    func httpDate() -> String {
        let second = loop.wallMilliseconds / 1000
        if second != date.second { date = (second, HTTPDate.string(second)) }
        return date.text
    }
}

/// A connection that equals itself only.
private struct Identified: Hashable {
    let connection: Connection

    static func == (a: Self, b: Self) -> Bool { a.connection === b.connection }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(connection)) }
}

extension HTTPRefusal {
    static let tooManyConnections = Self(
        status: 503, detail: "too many connections", fields: [HTTPField("Retry-After", "1")])
}
