public import HTTPClient
import Synchronization
public import Telemetry
import Workers

/// Sends recorded spans to a collector, in batches, over OTLP/HTTP.
///
/// Tracing never holds the service up: past its bound the queue drops spans, which a counter shows.
public final class SpanExporter: Sendable {
    public struct Settings: Sendable {
        /// The URL of the traces' receiver, as `http://collector:4318/v1/traces`.
        public var url: String
        /// Fields of each request beside its content type.
        public var fields: [(name: String, value: String)]
        /// What is known of this instance, for every span.
        public var resource: [Span.Attribute]
        public var version: String
        /// The longest time that a span waits for others.
        public var interval: Duration = .seconds(5)
        /// Spans in one request.
        public var batch = 512
        /// Spans that wait at most.
        public var capacity = 4096
        /// Attempts to send a batch.
        public var attempts = 3
        /// The time of one attempt.
        public var deadline: Duration = .seconds(5)

        public init(
            url: String, fields: [(name: String, value: String)], resource: [Span.Attribute], version: String
        ) {
            self.url = url
            self.fields = fields
            self.resource = resource
            self.version = version
        }
    }

    /// The largest answer that is read, in bytes.
    private static let maximumBytes = 1 << 16

    private let settings: Settings
    private let client: HTTPClient
    private let waiting = Mutex<[Span]>([])
    /// A batch is full, or the exporter is stopped.
    private let signal = Signal()
    private let isStopped = Atomic(false)
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let exported: Counter
    private let dropped: Counter
    private let failed: Counter
    private let logger: OccasionalLogger

    public init(_ settings: Settings, client: HTTPClient, logger: Logger, registry: MetricsRegistry) {
        self.settings = settings
        self.client = client
        self.logger = OccasionalLogger(logger)
        let help = "Spans of traces, by what became of them."
        exported = registry.counter("chat_spans_total", help: help, labels: ["outcome": "exported"])
        dropped = registry.counter("chat_spans_total", help: help, labels: ["outcome": "dropped"])
        failed = registry.counter("chat_spans_total", help: help, labels: ["outcome": "failed"])
    }

    public func start() {
        let running = Task { await run() }
        task.withLock { $0 = running }
    }

    /// Exports what waits, as far as the collector takes it within one attempt, and ends.
    public func stop() async {
        isStopped.store(true, ordering: .relaxed)
        signal.raise()
        await task.withLock { $0 }?.value
    }

    /// Takes spans from any thread; drops them where too many wait.
    public func add(_ spans: [Span]) {
        let (taken, isBatch) = waiting.withLock { waiting in
            let taken = spans.prefix(max(0, settings.capacity - waiting.count))
            waiting += taken
            return (taken.count, waiting.count >= settings.batch)
        }
        dropped.add(spans.count - taken)
        if isBatch { signal.raise() }
    }

    private func run() async {
        while !isStopped.load(ordering: .relaxed) {
            await signal.wait(upTo: settings.interval)
            await exportAll()
        }
        await exportAll()
    }

    private func exportAll() async {
        while let batch = takeBatch() { await export(batch) }
    }

    private func takeBatch() -> [Span]? {
        waiting.withLock { waiting in
            guard !waiting.isEmpty else { return nil }
            let batch = Array(waiting.prefix(settings.batch))
            waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func export(_ batch: [Span]) async {
        var backoff = Backoff(base: .milliseconds(500), limit: .seconds(5))
        var random = SystemRandomNumberGenerator()
        var attempt = 1
        var answer = await send(batch)
        while case .unanswered = answer, attempt < settings.attempts, !isStopped.load(ordering: .relaxed) {
            try? await Task.sleep(for: backoff.nextDelay(using: &random))
            attempt += 1
            answer = await send(batch)
        }
        switch answer {
        case .taken: exported.add(batch.count)
        case .refused(let reason), .unanswered(let reason):
            failed.add(batch.count)
            logger.warning("spans were not exported", ["reason": reason, "spans": batch.count])
        }
    }

    private enum Answer {
        case taken
        /// Another attempt would end alike.
        case refused(String)
        case unanswered(String)
    }

    private func send(_ batch: [Span]) async -> Answer {
        let body = TraceExport.encode(batch, of: settings.resource, version: settings.version)
        let request = HTTPClientRequest(
            .post, settings.url, fields: settings.fields + [("Content-Type", "application/json")], body: body,
            deadline: settings.deadline, maximumBytes: Self.maximumBytes)
        do throws(HTTPClientError) {
            let response = try await client.send(request)
            switch response.status {
            case 200..<300: return .taken
            // The statuses that the specification of OTLP/HTTP calls retryable.
            case 429, 502, 503, 504: return .unanswered("the collector answers with status \(response.status)")
            default: return .refused("the collector answers with status \(response.status)")
            }
        } catch {
            return .unanswered("\(error)")
        }
    }
}
