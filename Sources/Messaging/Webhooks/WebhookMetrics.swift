import ChatDomain
import Telemetry

/// The instruments of webhooks.
final class WebhookMetrics: Sendable {
    /// The instruments of one receiver.
    struct Receiver: Sendable {
        let delivered: Counter
        let failed: Counter
        let died: Counter
        let waiting: Gauge
        let disabled: Gauge
    }

    let receivers: [Receiver]
    let droppedPresence: Counter
    let droppedOccurrences: Counter
    let replayed: Counter
    let trimmed: Counter
    let adopted: Counter
    private let dead: Gauge
    private let backlog: Gauge

    init(_ registry: MetricsRegistry, receivers count: Int) {
        receivers = (0..<count).map { index in
            let number = String(index + 1)
            func attempts(_ outcome: String) -> Counter {
                registry.counter(
                    "chat_webhook_attempts_total", help: "Requests to webhook receivers, by their outcome.",
                    labels: ["receiver": number, "outcome": outcome])
            }
            return Receiver(
                delivered: attempts("delivered"), failed: attempts("failed"),
                died: registry.counter(
                    "chat_webhook_dead_total", help: "Deliveries that became dead letters.",
                    labels: ["receiver": number]),
                waiting: registry.gauge(
                    "chat_webhook_waiting", help: "Deliveries that wait, of all instances.",
                    labels: ["receiver": number]),
                disabled: registry.gauge(
                    "chat_webhook_disabled", help: "Whether the receiver answered 410 and is asked no more (0 or 1).",
                    labels: ["receiver": number]))
        }
        func dropped(_ kind: String) -> Counter {
            registry.counter(
                "chat_webhook_dropped_total",
                help: "Events that were dropped: too many waited, or a presence event had its one attempt.",
                labels: ["kind": kind])
        }
        droppedPresence = dropped("presence")
        droppedOccurrences = dropped("rooms")
        replayed = registry.counter("chat_webhook_replayed_total", help: "Dead letters that are attempted again.")
        trimmed = registry.counter(
            "chat_webhook_dead_letters_removed_total", help: "Dead letters removed because there were too many.")
        adopted = registry.counter(
            "chat_webhook_adopted_total", help: "Deliveries and messages taken over from dead instances.")
        dead = registry.gauge("chat_webhook_dead_letters", help: "Dead letters in the store, of all receivers.")
        backlog = registry.gauge(
            "chat_webhook_outbox_messages", help: "Stored messages and changes that are not yet owed to receivers.")
    }

    func setCounts(_ counts: [String: WebhookCounts], of ids: [String], backlog count: Int) {
        for (id, receiver) in zip(ids, receivers) { receiver.waiting.set(counts[id]?.waiting ?? 0) }
        dead.set(counts.values.reduce(0) { $0 + $1.dead })
        backlog.set(count)
    }
}
