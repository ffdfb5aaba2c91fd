import Telemetry

/// The metrics of rooms and sessions. No label names a user or a room.
package struct ChatMetrics: Sendable {
    package let sessions: Gauge
    package let rooms: Gauge
    package let usersOnline: Gauge
    package let messages: Counter
    package let deliveries: Counter
    package let commands: Counter
    package let refusals: Counter
    package let repairs: Counter
    package let rewinds: Counter
    package let foreignNews: Counter
    package let forwards: Counter
    package let commitBatch: Histogram
    package let commitDuration: Histogram
    package let fanOut: Histogram

    package init(_ registry: MetricsRegistry) {
        sessions = registry.gauge("chat_sessions", help: "Sessions connected to this instance.")
        rooms = registry.gauge("chat_rooms_joined", help: "Rooms with sessions on this instance.")
        usersOnline = registry.gauge(
            "chat_users_online", help: "Users seen online, on all instances as this one has heard.")
        messages = registry.counter("chat_messages_total", help: "Room messages delivered in order by this instance.")
        deliveries = registry.counter("chat_deliveries_total", help: "Copies of broadcasts handed to sessions.")
        commands = registry.counter("chat_commands_total", help: "Commands taken from clients.")
        refusals = registry.counter("chat_refusals_total", help: "Commands and frames refused with an error.")
        repairs = registry.counter("chat_repairs_total", help: "Holes in a room's sequence read from the store.")
        rewinds = registry.counter(
            "chat_rewinds_total", help: "Times a room's store was found without messages it had acknowledged.")
        foreignNews = registry.counter(
            "chat_bus_rejected_total", help: "Publications on the bus that were not understood and dropped.")
        forwards = registry.counter(
            "chat_forwards_total", help: "Writes of rooms sent to the instance that numbers the room, or sent again.")
        commitBatch = registry.histogram(
            "chat_commit_batch_messages", help: "Messages handed to the store at once.", unit: .plain,
            bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
        commitDuration = registry.histogram(
            "chat_commit_duration_seconds", help: "Time the store took for what was handed to it at once.",
            unit: .microseconds,
            bounds: [250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000])
        fanOut = registry.histogram(
            "chat_fan_out_seconds",
            help: "Time from taking a message to handing it to the sockets of a loop's members, in whole milliseconds.",
            unit: .microseconds,
            bounds: [
                1000, 2000, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
            ])
    }
}
