import ChatDomain
import Synchronization
import Telemetry

/// The relay's instruments.
final class RelayMetrics: Sendable {
    let published: Counter
    let confirmed: Counter
    let returned: Counter
    let refused: Counter
    let adopted: Counter
    let disconnections: Counter
    private let isConnected: Gauge
    private let isBlocked: Gauge
    private let depth: Gauge
    private let oldest = Mutex<Timestamp?>(nil)

    init(_ registry: MetricsRegistry, clock: @escaping @Sendable () -> Timestamp) {
        published = registry.counter(
            "chat_events_published_total", help: "Events sent to the broker, repeats included.")
        let answered = "Events the broker answered for, by its answer; all but the confirmed ones are sent again."
        confirmed = registry.counter("chat_events_settled_total", help: answered, labels: ["outcome": "confirmed"])
        returned = registry.counter("chat_events_settled_total", help: answered, labels: ["outcome": "returned"])
        refused = registry.counter("chat_events_settled_total", help: answered, labels: ["outcome": "refused"])
        adopted = registry.counter(
            "chat_outbox_adopted_total", help: "Messages whose events were taken over from a dead instance.")
        disconnections = registry.counter(
            "chat_broker_disconnections_total", help: "Connections to the broker, and attempts at one, that failed.")
        isConnected = registry.gauge("chat_broker_connected", help: "Whether the broker is connected (0 or 1).")
        isBlocked = registry.gauge(
            "chat_broker_blocked", help: "Whether the broker accepts no events because of an alarm of its own (0 or 1)."
        )
        depth = registry.gauge(
            "chat_outbox_messages", help: "Messages in the store whose events are not confirmed, of all instances.")
        registry.gauge("chat_outbox_age_seconds", help: "Age of the oldest message whose events are not confirmed.") {
            [weak self] in
            guard let since = self?.oldest.withLock({ $0 }) else { return 0 }
            return Double(max(0, clock().milliseconds - since.milliseconds)) / 1000
        }
    }

    func record(_ outcomes: [(tag: UInt64, outcome: BrokerOutcome)]) {
        var counts: [BrokerOutcome: Int] = [:]
        for (_, outcome) in outcomes { counts[outcome, default: 0] += 1 }
        confirmed.add(counts[.confirmed] ?? 0)
        returned.add(counts[.returned] ?? 0)
        refused.add(counts[.refused] ?? 0)
    }

    func setConnected(_ isConnected: Bool) {
        self.isConnected.set(isConnected ? 1 : 0)
        setBlocked(false)
        if !isConnected { disconnections.add() }
    }

    func setBlocked(_ isBlocked: Bool) { self.isBlocked.set(isBlocked ? 1 : 0) }

    func setBacklog(count: Int, oldest: Timestamp?) {
        depth.set(count)
        self.oldest.withLock { $0 = oldest }
    }
}
