import Telemetry

/// The bus's instruments.
struct RoomBusMetrics: Sendable {
    let published: Counter
    let received: Counter
    let refused: Counter
    let malformed: Counter
    let foreign: Counter

    init(_ registry: MetricsRegistry) {
        published = registry.counter(
            "chat_bus_published_total", help: "Publications that Redis took for other instances.")
        received = registry.counter("chat_bus_received_total", help: "Publications that came from other instances.")
        let dropped = "Publications dropped, by cause."
        refused = registry.counter("chat_bus_dropped_total", help: dropped, labels: ["cause": "unsent"])
        malformed = registry.counter("chat_bus_dropped_total", help: dropped, labels: ["cause": "malformed"])
        foreign = registry.counter("chat_bus_dropped_total", help: dropped, labels: ["cause": "foreign"])
    }
}
