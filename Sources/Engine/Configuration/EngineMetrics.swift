public import Telemetry

/// The engine's instruments. The text exported with each says its meaning and unit.
public struct EngineMetrics: Sendable {
    public let connections: Gauge
    public let pollingSessions: Gauge
    public let accepted: Counter
    public let bytesRead: Counter
    public let bytesWritten: Counter
    public let writes: Counter
    public let slowConsumers: Counter
    public let protocolErrors: Counter
    public let dropped: Counter
    public let queuedBytes: Gauge

    /// - Parameter prefix: the beginning of every exported name, such as `shop_`.
    public init(_ registry: MetricsRegistry, prefix: String = "") {
        connections = registry.gauge(prefix + "connections", help: "Open sockets.")
        pollingSessions = registry.gauge(
            prefix + "polling_sessions", help: "Engine.IO sessions that poll, counted with the open sockets.")
        accepted = registry.counter(
            prefix + "connections_accepted_total", help: "Connections taken from listeners.")
        bytesRead = registry.counter(prefix + "received_bytes_total", help: "Bytes read from sockets.")
        bytesWritten = registry.counter(prefix + "sent_bytes_total", help: "Bytes the kernel took for sockets.")
        writes = registry.counter(prefix + "socket_writes_total", help: "Write calls on sockets.")
        slowConsumers = registry.counter(
            prefix + "slow_consumers_total", help: "Connections closed because they did not read.")
        protocolErrors = registry.counter(
            prefix + "protocol_errors_total", help: "Connections ended for breaking HTTP or WebSocket.")
        dropped = registry.counter(
            prefix + "dropped_frames_total", help: "Droppable frames left out for slow readers.")
        queuedBytes = registry.gauge(
            prefix + "output_queue_bytes", help: "Bytes queued for sockets that take no more at the moment.")
    }
}
