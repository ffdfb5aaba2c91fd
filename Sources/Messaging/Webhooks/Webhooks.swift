public import ChatDomain
public import HTTPClient
import Synchronization
public import Telemetry
import Workers

/// Sends events to the operator's receivers over HTTP: messages and changes at least once each, rooms, members and flags too once they
/// are stored as deliveries, presence at most once.
public final class Webhooks: Sendable {
    /// An operator's decisions about webhooks.
    public struct Settings: Equatable, Sendable {
        /// Absolute URLs, in the order of the configuration, each once.
        public var urls: [String]
        public var signer: WebhookSigner
        public var kinds: Set<WebhookEventKind>
        /// The time that one request may take.
        public var timeLimit: Duration
        public var schedule: RetrySchedule

        public init(
            urls: [String], signer: WebhookSigner, kinds: Set<WebhookEventKind> = Set(WebhookEventKind.allCases),
            timeLimit: Duration = .seconds(15), schedule: RetrySchedule = RetrySchedule()
        ) {
            self.urls = urls
            self.signer = signer
            self.kinds = kinds
            self.timeLimit = timeLimit
            self.schedule = schedule
        }

        /// Whether entries of rooms' logs are sent.
        public var sendsEntries: Bool { kinds.contains(.messages) || kinds.contains(.changes) }
    }

    /// How long `stop` waits for requests under way.
    private static let stopLimit = Duration.seconds(2)

    private let senders: [WebhookSender]
    private let presence: [PresenceWebhook]
    private let fanOut: WebhookFanOut
    private let maintenance: WebhookMaintenance
    private let metrics: WebhookMetrics
    private let tasks = Mutex<(work: [Task<Void, Never>], maintenance: Task<Void, Never>?)>(([], nil))

    /// - Parameters:
    ///   - instance: the owner of what is owed.
    ///   - isAlive: whether an instance is alive and so makes its own deliveries.
    ///   - clock: the wall clock.
    ///   - send: sends a request of HTTP.
    public init(
        _ settings: Settings, instance: InstanceID, store: any Outbox & WebhookStore,
        isAlive: @escaping @Sendable (InstanceID) async -> Bool, tracer: (any MessageTracer)? = nil,
        clock: @escaping @Sendable () -> Timestamp, logger: Logger, registry: MetricsRegistry,
        send: @escaping @Sendable (HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse
    ) {
        let metrics = WebhookMetrics(registry, receivers: settings.urls.count)
        let receivers = settings.urls.enumerated().map { index, url in
            WebhookReceiver(
                url: url, number: index + 1, signer: settings.signer, timeLimit: settings.timeLimit, send: send)
        }
        let senders = zip(receivers, metrics.receivers).map { receiver, metrics in
            WebhookSender(
                receiver, instance: instance, store: store, schedule: settings.schedule, metrics: metrics,
                tracer: tracer, clock: clock, logger: logger)
        }
        let fanOut = WebhookFanOut(
            instance: instance, store: store, receivers: receivers, kinds: settings.kinds, metrics: metrics,
            clock: clock, logger: logger, stored: { for sender in senders { sender.wake() } })
        let sendsPresence = settings.kinds.contains(.presence)
        presence =
            sendsPresence
            ? senders.map { sender in
                PresenceWebhook(
                    beside: sender, schedule: settings.schedule, dropped: metrics.droppedPresence, clock: clock)
            } : []
        maintenance = WebhookMaintenance(
            instance: instance, store: store, receivers: receivers, fanOut: fanOut, isAlive: isAlive,
            metrics: metrics, clock: clock, trouble: OccasionalLogger(logger),
            adopted: {
                fanOut.wake()
                for sender in senders { sender.wake() }
            })
        self.senders = senders
        self.fanOut = fanOut
        self.metrics = metrics
    }

    /// Starts to send. Called once.
    public func start() {
        var work = [Task { await fanOut.run() }]
        for sender in senders { work.append(Task { await sender.run() }) }
        for presence in presence { work.append(Task { await presence.run() }) }
        let maintenance = Task { [maintenance] in await maintenance.run() }
        tasks.withLock { $0 = (work, maintenance) }
    }

    /// Stores what waits in memory, and waits two seconds at most for requests under way. What is owed stays in the store.
    public func stop() async {
        fanOut.stop()
        for sender in senders { sender.stop() }
        for presence in presence { presence.stop() }
        let (work, maintenance) = tasks.withLock { $0 }
        maintenance?.cancel()
        _ = await BoundedWait.wait(upTo: Self.stopLimit) { for task in work { await task.value } }
    }

    // MARK: What happens

    /// Notifies the webhooks that this instance has stored messages. From any thread; cheap however often it is called.
    public func wake() { fanOut.wake() }

    /// Takes what happened to a room. From any thread.
    public func note(_ occurrence: RoomOccurrence) { fanOut.add(occurrence) }

    /// Takes an edge of a user's presence; a change between two statuses of a user who stays online is no event.
    ///
    /// - Parameter isOwn: whether this instance made the edge, and so sends it.
    public func note(_ edge: PresenceEdge, isOwn: Bool) {
        guard isOwn, edge.comesOrGoes else { return }
        for presence in presence { presence.add(edge.presence) }
    }

    /// Takes over what a dead instance owes, at once.
    ///
    /// - Parameter dead: an instance whose lease has ended. A live instance would make the same deliveries too.
    public func adopt(from dead: InstanceID) async { await maintenance.adopt(from: dead) }

    /// Dead letters are to be attempted again by this instance.
    public func noteReplay(of count: Int) {
        metrics.replayed.add(count)
        for sender in senders { sender.wake() }
    }

    /// Asks receivers again that answered 410.
    public func enableAll() { for sender in senders { sender.enable() } }

    /// The receivers that do not take events at the moment, with the reasons; nil while all do.
    public var trouble: String? {
        let troubles = senders.compactMap { sender in
            sender.receiver.trouble.map { "receiver \(sender.receiver.name): \($0)" }
        }
        return troubles.isEmpty ? nil : troubles.joined(separator: "; ")
    }
}
