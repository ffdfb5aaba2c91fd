import Telemetry

/// The metrics of connections and requests.
struct GatewayMetrics: Sendable {
    let requests: Counter
    let connectionsRefused: Counter
    let descriptorsExhausted: Counter

    init(_ registry: MetricsRegistry) {
        requests = registry.counter("chat_http_requests_total", help: "HTTP requests answered.")
        descriptorsExhausted = registry.counter(
            "chat_descriptors_exhausted_total",
            help: "Times a listener found no file descriptor for a new connection, and rested.")
        connectionsRefused = registry.counter(
            "chat_connections_refused_total", help: "Connections refused by the rate limit.")
    }
}
