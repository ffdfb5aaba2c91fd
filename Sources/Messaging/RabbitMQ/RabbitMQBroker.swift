public import ChatDomain
import Synchronization
import Workers

/// A broker reached by AMQP 0-9-1, on a thread of its own since the library blocks. One queue; comes back by itself after
/// every loss, with full jitter.
public final class RabbitMQBroker: EventBroker {
    /// How often the heartbeat is looked after while nothing happens.
    private static let tickMilliseconds: Int64 = 1000
    private static let stableMilliseconds: Int64 = 10_000
    /// Bytes published between two looks at what the broker says: it may have asked to be sent nothing more.
    private static let bytesBetweenLooks = 32 << 10
    /// What is under way at the end has this long, in milliseconds.
    private static let endMilliseconds: Int64 = 1000

    private struct Mailbox {
        var events: [BrokerEvent] = []
        var isStopping = false
    }

    private let endpoint: RabbitMQEndpoint
    private let queue: String
    private let clock: @Sendable () -> Int64
    private let mailbox = Mutex(Mailbox())
    private let pipe: WakePipe
    private let thread = Mutex<WorkerThread?>(nil)
    private let limit: CallLimit
    private let watch: Task<Void, Never>
    private let backoffLimit: Int64

    /// - Parameters:
    ///   - queue: made durable where it does not exist; one that does is used as it is.
    ///   - backoffLimit: the longest pause between two attempts to connect, in milliseconds.
    ///   - clock: milliseconds of a clock that never goes back.
    /// - Throws: `.unreachable` when the system has no file descriptor left.
    public init(
        _ endpoint: RabbitMQEndpoint, queue: String, backoffLimit: Int64 = 5000,
        clock: @escaping @Sendable () -> Int64
    ) throws(BrokerError) {
        self.endpoint = endpoint
        self.queue = queue
        self.backoffLimit = backoffLimit
        self.clock = clock
        pipe = try WakePipe()
        let limit = CallLimit(clock: clock)
        self.limit = limit
        watch = Task { await limit.watch() }
    }

    deinit { watch.cancel() }

    public func start(_ report: @escaping @Sendable (BrokerReport) -> Void) {
        do throws(WorkerThread.NotStarted) {
            let worker = try WorkerThread(name: "amqp") { self.run(report) }
            thread.withLock { $0 = worker }
        } catch {
            report(.disconnected(.unreachable(reason: error.description)))
        }
    }

    public func publish(_ events: [BrokerEvent]) {
        mailbox.withLock { $0.events += events }
        pipe.wake()
    }

    public func stop() async {
        mailbox.withLock { $0.isStopping = true }
        limit.endEverything(within: Self.endMilliseconds)
        pipe.wake()
        await thread.withLock { $0 }?.finished()
        watch.cancel()
    }

    private var isStopping: Bool { mailbox.withLock { $0.isStopping } }

    private func run(_ report: (BrokerReport) -> Void) {
        var backoff = Backoff(base: 100, limit: backoffLimit)
        var random = SystemRandomNumberGenerator()
        while !isStopping {
            var connectedAt: Int64?
            do throws(BrokerError) {
                let session = try BrokerSession(endpoint, queue: queue, limit: limit)
                connectedAt = clock()
                // What waits was meant for an earlier connection, and counts as lost with it.
                mailbox.withLock { $0.events = [] }
                report(.connected)
                try serve(session, report)
                session.close()
            } catch {
                if !isStopping { report(.disconnected(error)) }
            }
            if let connectedAt, clock() - connectedAt >= Self.stableMilliseconds { backoff.reset() }
            rest(backoff.next(using: &random))
        }
    }

    private func serve(_ session: BrokerSession, _ report: (BrokerReport) -> Void) throws(BrokerError) {
        // A heartbeat that is overdue ends the connection at the next look at what the broker says. Nothing is published
        // before that: it would be lost with the connection.
        let heartbeatTimeout = Int64(endpoint.heartbeatSeconds) * 1500
        var lastHeard = clock()
        var blockedReason: String?
        while !isStopping {
            if session.blockedReason == nil, clock() - lastHeard < heartbeatTimeout {
                try publishWaiting(session, report)
            }
            try settle(session, report)
            if session.blockedReason != blockedReason {
                blockedReason = session.blockedReason
                report(.blocked(reason: blockedReason))
            }
            if pipe.sleep(socket: session.socket, milliseconds: Self.tickMilliseconds) { lastHeard = clock() }
        }
    }

    /// Publishes what waits, as long as the broker takes it.
    private func publishWaiting(
        _ session: BrokerSession, _ report: (BrokerReport) -> Void
    ) throws(BrokerError) {
        let events = takeEvents()
        var bytes = 0
        for (index, event) in events.enumerated() {
            guard session.blockedReason == nil, !isStopping else {
                return mailbox.withLock { $0.events.insert(contentsOf: events[index...], at: 0) }
            }
            try session.publish(event)
            bytes += event.body.count
            guard bytes >= Self.bytesBetweenLooks else { continue }
            bytes = 0
            try settle(session, report)
        }
    }

    private func settle(_ session: BrokerSession, _ report: (BrokerReport) -> Void) throws(BrokerError) {
        let settled = try session.settled()
        if !settled.isEmpty { report(.settled(settled)) }
    }

    private func takeEvents() -> [BrokerEvent] {
        mailbox.withLock { mailbox in
            defer { mailbox.events = [] }
            return mailbox.events
        }
    }

    /// Waits before the next attempt, unless it is time to stop.
    private func rest(_ milliseconds: Int64) {
        let end = clock() + milliseconds
        while !isStopping, clock() < end { pipe.sleep(milliseconds: end - clock()) }
    }
}
