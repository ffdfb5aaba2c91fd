public import ChatDomain
import JSON
import Synchronization
public import Telemetry

/// Publishes an event when a user comes online or goes offline: each user's events in order, at least once while this
/// process lives.
public final class PresenceEvents: Sendable {
    private static let retryPause = Duration.seconds(1)
    private static let stopLimit = Duration.seconds(3)
    private static let stopCheckInterval = Duration.milliseconds(20)

    private struct State {
        var backlog: PresenceBacklog
        var isConnected = false
        var isBlocked = false
        var isPausing = false

        var canSend: Bool { isConnected && !isBlocked }
    }

    private let broker: any EventBroker
    /// Distinguishes the message ids of this process from those of any other.
    private let prefix: String
    private let logger: OccasionalLogger
    private let clock: @Sendable () -> Timestamp
    private let state: Mutex<State>
    private let waiting: Gauge
    private let dropped: Counter

    /// - Parameter capacity: the most events that may wait for the broker; past that the oldest is dropped.
    public init(
        instance: InstanceID, broker: any EventBroker, capacity: Int = 100_000,
        clock: @escaping @Sendable () -> Timestamp, logger: Logger, registry: MetricsRegistry
    ) {
        self.broker = broker
        self.clock = clock
        prefix = "\(instance)-\(clock().milliseconds)-"
        self.logger = OccasionalLogger(logger)
        state = Mutex(State(backlog: PresenceBacklog(capacity: capacity)))
        waiting = registry.gauge("chat_presence_events_waiting", help: "Presence events the broker has not confirmed.")
        dropped = registry.counter(
            "chat_presence_events_dropped_total",
            help: "Presence events dropped because too many waited for the broker.")
    }

    public func start() { broker.start { [weak self] in self?.receive($0) } }

    /// Waits up to three seconds for the broker to confirm the rest, and closes the connection.
    public func stop() async {
        let deadline = ContinuousClock.now + Self.stopLimit
        while state.withLock({ $0.canSend && $0.backlog.count > 0 }), .now < deadline {
            try? await Task.sleep(for: Self.stopCheckInterval)
        }
        await broker.stop()
    }

    /// Receives an edge. A change between two statuses of a user who stays online is no event.
    ///
    /// - Parameter isOwn: whether this instance publishes the edge.
    public func note(_ edge: PresenceEdge, isOwn: Bool) {
        guard edge.comesOrGoes else { return }
        state.withLock { state in
            guard isOwn else { return state.backlog.receivedEdgeElsewhere(edge.presence) }
            if state.backlog.add(edge.presence, at: clock()) {
                dropped.add()
                logger.warning("presence events dropped: too many wait for the broker")
            }
        }
        sendNext()
    }

    /// The broker is called outside the lock, because it may answer at once.
    private func sendNext() {
        let entries = state.withLock { state in
            waiting.set(state.backlog.count)
            return state.isConnected && !state.isPausing ? state.backlog.next() : []
        }
        if !entries.isEmpty { broker.publish(entries.map(event)) }
    }

    private func receive(_ report: BrokerReport) {
        state.withLock { state in
            switch report {
            case .connected:
                state.isConnected = true
                state.isBlocked = false
                state.backlog.didLoseConnection()
            case .blocked(let reason): state.isBlocked = reason != nil
            case .disconnected(let error):
                state.isConnected = false
                state.backlog.didLoseConnection()
                logger.warning("presence events wait", ["reason": "\(error)"])
            case .answered(let answers):
                for (tag, outcome) in answers {
                    let batch = state.backlog.receivedOutcome(tag, isConfirmed: outcome == .confirmed, at: clock())
                    // The pause is there because a missing queue stays missing for a while.
                    if case .refused = batch { pause(&state) }
                }
            }
        }
        sendNext()
    }

    private func pause(_ state: inout State) {
        state.isPausing = true
        Task { [weak self] in
            try? await Task.sleep(for: Self.retryPause)
            self?.resume()
        }
    }

    private func resume() {
        state.withLock { $0.isPausing = false }
        sendNext()
    }

    private func event(_ entry: PresenceBacklog.Entry) -> BrokerEvent {
        let type = entry.isOnline ? "presence.online" : "presence.offline"
        var out = JSONWriter()
        out.object { out in
            out.member("eventType", type)
            out.member("timestamp", entry.at.iso8601)
            out.key("data")
            out.object { out in
                out.member("userId", entry.presence.user.userID.value)
                out.member("username", entry.presence.user.username)
                out.member("status", entry.presence.status.rawValue)
                out.member("lastSeen", entry.presence.lastSeen.iso8601)
            }
        }
        return BrokerEvent(
            tag: entry.tag, messageID: prefix + String(entry.tag), type: type,
            timestampSeconds: UInt64(max(entry.at.milliseconds, 0) / 1000), body: out.bytes)
    }
}
