import ChatDomain
import ChatProtocol
import JSON
import Telemetry

/// The figures of one instance as `/internal/stats` shows them. Counters are since the start of the process.
enum InstanceStats {
    static func write(_ services: Services) async -> [UInt8] {
        let dependencies = await services.dependencies.report()
        let (metrics, registry) = (services.metrics, services.registry)
        return EventJSON.object { out in
            out.member("instance", services.configuration.instance.value)
            out.member("version", services.configuration.version)
            out.member("startedAt", services.startedAt.iso8601)
            out.member("draining", services.readiness.isDraining)
            out.member("online", metrics.usersOnline.value)
            out.member("sessions", metrics.sessions.value)
            out.member("rooms", metrics.rooms.value)
            out.member("messages", metrics.messages.value)
            out.member("deliveries", metrics.deliveries.value)
            out.member("commands", metrics.commands.value)
            out.member("refusals", metrics.refusals.value)
            for (name, metric) in figures { out.figure(name, registry.value(metric)) }
            out.distribution("fanOut", metrics.fanOut)
            out.distribution("commit", metrics.commitDuration)
            out.backlog("outbox", registry, messages: "chat_outbox_messages", age: "chat_outbox_age_seconds")
            out.backlog("webhooks", registry, messages: "chat_webhook_waiting", age: "chat_webhook_age_seconds")
            out.key("dependencies")
            out.array(dependencies) { out, dependency in
                out.object { out in
                    out.member("name", dependency.name)
                    dependency.write(into: &out)
                    out.member("required", dependency.isRequired)
                }
            }
        }
    }

    private static let figures: [(StaticString, String)] = [
        ("connections", "chat_connections"), ("requests", "chat_http_requests_total"),
        ("slowConsumers", "chat_slow_consumers_total"), ("queuedBytes", "chat_output_queue_bytes"),
        ("memoryBytes", "process_resident_memory_bytes"), ("cpuSeconds", "process_cpu_seconds_total"),
        ("openFiles", "process_open_fds"),
    ]
}

extension JSONWriter {
    fileprivate mutating func figure(_ name: StaticString, _ value: Double?) {
        key(name)
        guard let value else { return null() }
        if let whole = Int64(exactly: value) { integer(whole) } else { number(value) }
    }

    /// A distribution of times, in milliseconds.
    fileprivate mutating func distribution(_ name: StaticString, _ histogram: Histogram) {
        let (bounds, counts, sum) = histogram.distribution
        key(name)
        object { out in
            out.member("count", counts.reduce(0, &+))
            out.key("sumMs")
            out.number(Double(sum) / 1000)
            out.key("bounds")
            out.array(bounds) { $0.number(Double($1) / 1000) }
            out.key("counts")
            out.array(counts) { $0.integer($1) }
        }
    }

    /// Events that wait; null where the instance has no such queue.
    fileprivate mutating func backlog(
        _ name: StaticString, _ registry: MetricsRegistry, messages: String, age: String
    ) {
        key(name)
        guard let waiting = registry.value(messages) else { return null() }
        object { out in
            out.figure("messages", waiting)
            out.figure("oldestSeconds", registry.value(age))
        }
    }
}
