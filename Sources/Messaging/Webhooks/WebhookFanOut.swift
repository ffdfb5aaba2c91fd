import ChatDomain
import Crypto
import Synchronization
import Telemetry
import Workers

/// Turns stored messages, changes and occurrences into deliveries, one for each receiver.
///
/// A message is marked as owed to webhooks when it is stored. The mark is cleared once the deliveries are stored, so that each is owed
/// in one form or the other at every moment.
final class WebhookFanOut: Sendable {
    private static let batch = 500
    private static let pollInterval = Duration.seconds(5)
    /// Occurrences that wait to be stored, at most.
    private static let capacity = 10_000

    private struct Waiting {
        /// The same on every attempt to store it.
        let id = "evt_" + SecureRandom.hex(bytes: 12)
        let event: WebhookEvent.Occurrence
        let time: Timestamp
    }

    private struct State {
        var occurrences: [Waiting] = []
        /// Receivers for which so much waits that new deliveries become dead letters at once.
        var full: Set<String> = []
        var isStopping = false
    }

    private let instance: InstanceID
    private let store: any Outbox & WebhookStore
    private let receivers: [WebhookReceiver]
    private let kinds: Set<WebhookEventKind>
    private let metrics: WebhookMetrics
    private let clock: @Sendable () -> Timestamp
    private let trouble: OccasionalLogger
    private let stored: @Sendable () -> Void
    private let signal = Signal()
    private let state = Mutex(State())

    /// - Parameter stored: called after deliveries were stored.
    init(
        instance: InstanceID, store: any Outbox & WebhookStore, receivers: [WebhookReceiver],
        kinds: Set<WebhookEventKind>, metrics: WebhookMetrics, clock: @escaping @Sendable () -> Timestamp,
        logger: Logger, stored: @escaping @Sendable () -> Void
    ) {
        self.instance = instance
        self.store = store
        self.receivers = receivers
        self.kinds = kinds
        self.metrics = metrics
        self.clock = clock
        trouble = OccasionalLogger(logger)
        self.stored = stored
    }

    /// Messages may be pending.
    func wake() { signal.raise() }

    /// Takes what happened to a room. Past the capacity it is dropped.
    func add(_ occurrence: RoomOccurrence) {
        let now = clock()
        guard let event = WebhookEvent.make(occurrence, at: now), kinds.contains(event.kind) else { return }
        let isFull = state.withLock { state in
            guard state.occurrences.count < Self.capacity else { return true }
            state.occurrences.append(Waiting(event: event, time: now))
            return false
        }
        if isFull { metrics.droppedOccurrences.add() } else { signal.raise() }
    }

    /// New deliveries to these receivers become dead letters at once.
    func setFull(_ receivers: Set<String>) { state.withLock { $0.full = receivers } }

    /// Ends `run` once what waits in memory is stored, or the store fails.
    func stop() {
        state.withLock { $0.isStopping = true }
        signal.raise()
    }

    private var mustStop: Bool { state.withLock { $0.isStopping } }

    func run() async {
        var backoff = Backoff(base: .milliseconds(200), limit: .seconds(10))
        var random = SystemRandomNumberGenerator()
        while true {
            do throws(StoreError) {
                let hasMore = try await storeBatch()
                backoff.reset()
                if hasMore { continue }
                if mustStop { return }
                await signal.wait(upTo: Self.pollInterval)
            } catch {
                trouble.warning("webhook events wait for the store", ["reason": error.reason])
                if mustStop { return }
                await signal.wait(upTo: backoff.nextDelay(using: &random))
            }
        }
    }

    /// Stores the deliveries of one batch.
    ///
    /// - Returns: whether there may be more.
    func storeBatch() async throws(StoreError) -> Bool {
        let occurrences = state.withLock { Array($0.occurrences.prefix(Self.batch)) }
        if !occurrences.isEmpty {
            try await store.addDeliveries(occurrences.flatMap(deliveries), owner: instance)
            state.withLock { $0.occurrences.removeFirst(occurrences.count) }
            stored()
        }
        let entries = try await store.pendingEvents(of: instance, to: .webhooks, limit: Self.batch, except: [])
        if !entries.isEmpty {
            try await store.addDeliveries(entries.flatMap(deliveries), owner: instance)
            try await store.clearEvents(entries.map(\.id), to: .webhooks)
            stored()
        }
        return occurrences.count == Self.batch || entries.count == Self.batch
    }

    private func deliveries(of entry: RoomLogEntry) -> [WebhookDelivery] {
        guard kinds.contains(WebhookEvent.kind(of: entry)) else { return [] }
        return deliveries(
            of: entry.id.description, WebhookEvent.type(of: entry), .entry(entry.roomID, entry.sequence),
            at: entry.timestamp)
    }

    private func deliveries(of occurrence: Waiting) -> [WebhookDelivery] {
        let event = occurrence.event
        let content = WebhookDelivery.Content.body(String(decoding: event.body, as: UTF8.self), about: event.user)
        return deliveries(of: occurrence.id, event.type, content, at: occurrence.time)
    }

    private func deliveries(
        of event: String, _ type: String, _ content: WebhookDelivery.Content, at time: Timestamp
    ) -> [WebhookDelivery] {
        let full = state.withLock { $0.full }
        return receivers.filter { !$0.isDisabled }.map { receiver in
            let isFull = full.contains(receiver.id)
            return WebhookDelivery(
                .init(event: event, receiver: receiver.id), type: type, content: content, createdAt: time,
                dueAt: isFull ? nil : time, failure: isFull ? "too many deliveries waited" : nil)
        }
    }
}
