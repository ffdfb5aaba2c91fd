public import Crypto
public import EventLoop
public import Telemetry
public import Compression
import WireProtocols

/// What the connections of one loop share: the read buffer, the compressor, who has output to flush.
///
/// Confined to its loop.
public final class EngineContext {
    /// Read at once from a socket; also the scratch space for gathered writes.
    static let chunkBytes = 64 * 1024

    public let loop: EventLoop
    public let configuration: EngineConfiguration
    public let metrics: EngineMetrics
    public let logger: Logger
    /// Takes the requests. Set once, before the first connection.
    public unowned var handler: (any EngineHandler)?
    let tls: TLSContext?
    let inflater: Inflater
    /// Compresses each message by itself, so that one result serves everybody.
    public let deflater: Deflater
    static let deflateWindowBits = 13
    var input = InputBuffer(capacity: EngineContext.chunkBytes)
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: EngineContext.chunkBytes, alignment: 16)
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var touched = TurnQueue<Connection>()
    private var resumable = TurnQueue<Connection>()
    /// What connections had queued at the end of their last turn that the kernel did not take.
    private var backlogs: [ObjectIdentifier: Int] = [:]
    private var date: (second: Int64, text: String) = (-1, "")

    public init(
        loop: EventLoop, configuration: EngineConfiguration, metrics: EngineMetrics, logger: Logger
    ) throws(TLSError) {
        self.loop = loop
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        if let files = configuration.tls {
            tls = try TLSContext(
                certificateChainFile: files.certificateChain, privateKeyFile: files.privateKey,
                ticketKeys: files.ticketKeys)
        } else {
            tls = nil
        }
        inflater = Inflater()
        deflater = Deflater(windowBits: Self.deflateWindowBits)
    }

    deinit { scratch.deallocate() }

    /// Takes over an accepted socket.
    public func adopt(descriptor: Int32, peer: IPAddress) {
        guard let socket = Socket(descriptor: descriptor, loop: loop) else { return }
        let isFull = self.isFull
        let connection = Connection(socket: socket, peer: peer, context: self)
        register(connection)
        connection.begin()
        if isFull { connection.rejectOverCapacity() }
    }

    /// Whether there are as many connections as may be. A session that polls is one, whatever sockets it comes over.
    var isFull: Bool {
        metrics.connections.value + metrics.pollingSessions.value >= configuration.maximumConnections
    }

    func register(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = connection
        metrics.connections.add()
    }

    func remove(_ connection: Connection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        metrics.connections.subtract()
    }

    public var connectionCount: Int { connections.count }
    public var allConnections: [Connection] { Array(connections.values) }

    // MARK: Once a turn

    func touch(_ connection: Connection) { touched.append(connection) }

    /// Writes what the turn queued: one call per connection, as a rule.
    public func flush() {
        while !touched.isEmpty {
            var batch = touched.take()
            for connection in batch { connection.flush(scratch: scratch) }
            touched.recycle(&batch)
        }
    }

    /// Writes what a connection has queued before the turn ends.
    func write(_ connection: Connection) { _ = connection.write(scratch: scratch) }

    /// Counts what a connection that is behind has queued; whether it still is.
    func noteBacklog(of connection: Connection, bytes: Int) -> Bool {
        let id = ObjectIdentifier(connection)
        let before = bytes > 0 ? backlogs.updateValue(bytes, forKey: id) : backlogs.removeValue(forKey: id)
        metrics.queuedBytes.add(bytes - (before ?? 0))
        return bytes > 0
    }

    func resumeLater(_ connection: Connection) { resumable.append(connection) }

    public var hasPausedToResume: Bool { !resumable.isEmpty }

    /// Goes on with connections whose handler is ready again. Not done at once: the shared buffer may be in use.
    public func resumePaused() {
        guard !resumable.isEmpty else { return }
        var batch = resumable.take()
        for connection in batch { connection.continueReading() }
        resumable.recycle(&batch)
    }

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

/// The engine's instruments.
public struct EngineMetrics: Sendable {
    public let connections: Gauge
    public let pollingSessions: Gauge
    public let accepted: Counter
    public let bytesRead: Counter
    public let bytesWritten: Counter
    public let writes: Counter
    public let slowConsumers: Counter
    public let protocolErrors: Counter
    public let dropped: Counter
    public let queuedBytes: Gauge

    public init(_ registry: MetricsRegistry) {
        connections = registry.gauge("chat_connections", help: "Open sockets.")
        pollingSessions = registry.gauge(
            "chat_polling_sessions", help: "Engine.IO sessions that poll, counted with the open sockets.")
        accepted = registry.counter("chat_connections_accepted_total", help: "Connections taken from listeners.")
        bytesRead = registry.counter("chat_received_bytes_total", help: "Bytes read from sockets.")
        bytesWritten = registry.counter("chat_sent_bytes_total", help: "Bytes the kernel took for sockets.")
        writes = registry.counter("chat_socket_writes_total", help: "Write calls on sockets.")
        slowConsumers = registry.counter(
            "chat_slow_consumers_total", help: "Connections closed because they did not read.")
        protocolErrors = registry.counter(
            "chat_protocol_errors_total", help: "Connections ended for breaking HTTP or WebSocket.")
        dropped = registry.counter("chat_dropped_frames_total", help: "Droppable frames left out for slow readers.")
        queuedBytes = registry.gauge(
            "chat_output_queue_bytes", help: "Bytes queued for sockets that take no more at the moment.")
    }
}
