public import ChatDomain
import JSON
import Synchronization
public import Telemetry

/// Publishes who came online and who went offline, each user's events in order, at least once while this process lives.
public final class PresenceEvents: Sendable {
    private static let pause: Duration = .seconds(1)
    /// Three seconds at the end.
    private static let lastChecks = 150
    private static let lastPause: Duration = .milliseconds(20)

    private struct State {
        var backlog: PresenceBacklog
        var isConnected = false
        var isBlocked = false
        var isPausing = false
    }

    private let broker: any EventBroker
    /// Tells this process's events from any other's.
    private let prefix: String
    private let trouble: OccasionalLogger
    private let clock: @Sendable () -> Timestamp
    private let state: Mutex<State>
    private let waiting: Gauge
    private let dropped: Counter

    /// - Parameter capacity: events that may wait for the broker; past that the oldest goes.
    public init(
        instance: InstanceID, broker: any EventBroker, capacity: Int = 100_000,
        clock: @escaping @Sendable () -> Timestamp, logger: Logger, registry: MetricsRegistry
    ) {
        self.broker = broker
        self.clock = clock
        prefix = "\(instance)-\(clock().milliseconds)-"
        trouble = OccasionalLogger(logger)
        state = Mutex(State(backlog: PresenceBacklog(capacity: capacity)))
        waiting = registry.gauge("chat_presence_events_waiting", help: "Presence events the broker has not confirmed.")
        dropped = registry.counter(
            "chat_presence_events_dropped_total",
            help: "Presence events dropped because too many waited for the broker.")
    }

    public func start() { broker.start { [weak self] in self?.report($0) } }

    /// Waits a moment for the broker to take what is left.
    public func stop() async {
        for _ in 0..<Self.lastChecks where state.withLock({ $0.isConnected && !$0.isBlocked && $0.backlog.count > 0 }) {
            try? await Task.sleep(for: Self.lastPause)
        }
        await broker.stop()
    }

    /// Takes an edge; one between two statuses of somebody who is there is no event.
    ///
    /// - Parameter isOwn: whether this instance is the one that publishes it.
    public func note(_ edge: PresenceEdge, isOwn: Bool) {
        guard edge.comesOrGoes else { return }
        state.withLock { state in
            guard isOwn else { return state.backlog.hear(edge.presence) }
            if state.backlog.add(edge.presence, at: clock()) {
                dropped.add()
                trouble.warning("presence events dropped: the broker has been away for too long")
            }
        }
        sendNext()
    }

    /// Not under the lock when the broker is called: its answer may be quick.
    private func sendNext() {
        let entries = state.withLock { state in
            waiting.set(state.backlog.count)
            return state.isConnected && !state.isPausing ? state.backlog.next() : []
        }
        if !entries.isEmpty { broker.publish(entries.map(event)) }
    }

    private func report(_ report: BrokerReport) {
        state.withLock { state in
            switch report {
            case .connected:
                state.isConnected = true
                state.isBlocked = false
                state.backlog.lose()
            case .blocked(let reason): state.isBlocked = reason != nil
            case .disconnected(let error):
                state.isConnected = false
                state.backlog.lose()
                trouble.warning("presence events wait", ["reason": "\(error)"])
            case .settled(let settled):
                for (tag, outcome) in settled {
                    let isRefused = state.backlog.receivedOutcome(tag, isConfirmed: outcome == .confirmed, at: clock())
                    // Not again at once: a queue that is gone stays gone for a while.
                    if case .refused = isRefused { pause(&state) }
                }
            }
        }
        sendNext()
    }

    private func pause(_ state: inout State) {
        state.isPausing = true
        Task { [weak self] in
            try? await Task.sleep(for: Self.pause)
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
            out.key("eventType")
            out.string(type)
            out.key("timestamp")
            out.string(entry.at.iso8601)
            out.key("data")
            out.object { out in
                out.key("userId")
                out.string(entry.presence.user.userID.value)
                out.key("username")
                out.string(entry.presence.user.username)
                out.key("status")
                out.string(entry.presence.status.rawValue)
                out.key("lastSeen")
                out.string(entry.presence.lastSeen.iso8601)
            }
        }
        return BrokerEvent(
            tag: entry.tag, messageID: prefix + String(entry.tag), type: type,
            timestampSeconds: UInt64(max(entry.at.milliseconds, 0) / 1000), body: out.bytes)
    }
}
