public import ChatDomain
import Synchronization
import Workers

/// A RabbitMQ broker, reached over AMQP 0-9-1 on a thread of its own because the library blocks.
///
/// After a loss it connects to the next of its addresses, and pauses with full jitter when all of them have failed. A
/// connection is kept while it lasts, also when an earlier address is reachable again.
public final class RabbitMQBroker: EventBroker {
    /// The longest sleep without a look at the heartbeat.
    private static let heartbeatCheckInterval = Duration.seconds(1)
    /// A connection that lasted this long resets the back-off.
    private static let stableAfter = Duration.seconds(10)
    /// Bytes published between two reads of what the broker sent: it may have asked its publishers to pause.
    private static let bytesBetweenReads = 32 << 10
    /// The limit for calls that are running when the broker is stopped.
    private static let stopLimit = Duration.seconds(1)
    private static let backoffBase = Duration.milliseconds(100)

    private struct Mailbox {
        var events: [BrokerEvent] = []
        var isStopping = false
    }

    private let endpoints: [RabbitMQEndpoint]
    private let queues: [BrokerEvent.Queue: RabbitMQQueue]
    private let clock: @Sendable () -> Moment
    private let mailbox = Mutex(Mailbox())
    private let pipe: WakePipe
    private let thread = Mutex<WorkerThread?>(nil)
    private let callLimit: CallLimit
    private let watch: Task<Void, Never>
    private let backoffLimit: Duration

    /// - Parameters:
    ///   - endpoints: at least one; tried in this order.
    ///   - changes: the queue of `BrokerEvent.Queue.changes`, if it is another one.
    ///   - backoffLimit: the longest pause before the addresses are tried again.
    ///   - clock: never goes back.
    /// - Throws: `.unreachable` when there is no endpoint, or the system has no file descriptor left.
    public init(
        _ endpoints: [RabbitMQEndpoint], queue: RabbitMQQueue, changes: RabbitMQQueue? = nil,
        backoffLimit: Duration = .seconds(5),
        clock: @escaping @Sendable () -> Moment
    ) throws(BrokerError) {
        guard !endpoints.isEmpty else { throw .unreachable(reason: "no broker is configured") }
        self.endpoints = endpoints
        queues = [.messages: queue, .changes: changes ?? queue]
        self.backoffLimit = backoffLimit
        self.clock = clock
        pipe = try WakePipe()
        let callLimit = CallLimit(clock: clock)
        self.callLimit = callLimit
        watch = Task { await callLimit.watch() }
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
        callLimit.endCalls(within: Self.stopLimit)
        pipe.wake()
        await thread.withLock { $0 }?.finished()
        watch.cancel()
    }

    private var isStopping: Bool { mailbox.withLock { $0.isStopping } }

    private func run(_ report: (BrokerReport) -> Void) {
        var backoff = Backoff(base: Self.backoffBase, limit: backoffLimit)
        var random = SystemRandomNumberGenerator()
        var order = FailoverOrder(count: endpoints.count)
        while !isStopping {
            let endpoint = endpoints[order.current]
            var connectedAt: Moment?
            do throws(BrokerError) {
                let session = try BrokerSession(endpoint, queues: queues, callLimit: callLimit)
                connectedAt = clock()
                // Events that still wait were published to an earlier connection, and count as lost with it.
                mailbox.withLock { $0.events = [] }
                report(.connected)
                try serve(session, endpoint, report)
                session.close()
            } catch {
                if !isStopping { report(.disconnected(error)) }
            }
            if let connectedAt, clock() >= connectedAt + Self.stableAfter {
                backoff.reset()
                order.didSucceed()
            }
            if order.didFail() { pause(backoff.nextDelay(using: &random)) }
        }
    }

    private func serve(
        _ session: BrokerSession, _ endpoint: RabbitMQEndpoint, _ report: (BrokerReport) -> Void
    ) throws(BrokerError) {
        // The library ends the connection when it next reads after the heartbeat is overdue. Nothing is published before
        // that, because it would be lost with the connection.
        let heartbeatLimit = endpoint.heartbeat * 3 / 2
        var lastReceived = clock()
        var blockedReason: String?
        while !isStopping {
            if session.blockedReason == nil, clock() < lastReceived + heartbeatLimit {
                try publishWaiting(session, report)
            }
            try reportAnswers(session, report)
            if session.blockedReason != blockedReason {
                blockedReason = session.blockedReason
                report(.blocked(reason: blockedReason))
            }
            if pipe.sleep(socket: session.socket, upTo: Self.heartbeatCheckInterval) { lastReceived = clock() }
        }
    }

    /// Publishes the waiting events until the broker asks for a pause.
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
            guard bytes >= Self.bytesBetweenReads else { continue }
            bytes = 0
            try reportAnswers(session, report)
        }
    }

    private func reportAnswers(_ session: BrokerSession, _ report: (BrokerReport) -> Void) throws(BrokerError) {
        let answers = try session.readAnswers()
        if !answers.isEmpty { report(.answered(answers)) }
    }

    private func takeEvents() -> [BrokerEvent] {
        mailbox.withLock { mailbox in
            defer { mailbox.events = [] }
            return mailbox.events
        }
    }

    /// Waits before the next attempt to connect, or until the broker is stopped.
    private func pause(_ span: Duration) {
        let end = clock() + span
        while !isStopping, clock() < end { pipe.sleep(upTo: end - clock()) }
    }
}
