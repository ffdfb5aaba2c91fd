import ChatCore
import ChatDomain
import Gateway
import MessagingOutbox
import MessagingRabbitMQ
import Telemetry

/// The parts of an instance that publish to RabbitMQ: events of stored messages, and events of presence.
struct EventServices: Sendable {
    private let relay: OutboxRelay
    private let presence: PresenceEvents?
    private let traces = TraceCache()

    init(
        _ configuration: Configuration, _ events: Configuration.Events, store: any DurableStore,
        directory sessions: any SessionDirectory, tracer: (any MessageTracer)?, logger: Logger,
        registry: MetricsRegistry
    ) throws {
        let broker = try RabbitMQBroker(
            try events.endpoints(), queue: RabbitMQQueue(name: events.newMessageQueue, kind: events.queueType),
            changes: events.changesQueue.map { RabbitMQQueue(name: $0, kind: events.queueType) },
            clock: { Now.system.monotonic })
        let directory = EventDirectory(
            people: { rooms throws(StoreError) in try await store.people(of: rooms) },
            online: { Set(await sessions.instances(of: $0).keys) },
            isAlive: { await sessions.isAlive($0) })
        relay = OutboxRelay(
            instance: configuration.instance, mode: events.mode, outbox: store,
            broker: broker, directory: directory, traces: traces, tracer: tracer, logger: logger, registry: registry)
        presence = try events.presenceQueue.map { queue in
            PresenceEvents(
                instance: configuration.instance,
                broker: try RabbitMQBroker(
                    try events.endpoints(), queue: RabbitMQQueue(name: queue, kind: events.queueType),
                    clock: { Now.system.monotonic }),
                clock: { Now.system.wall }, logger: logger, registry: registry)
        }
    }

    /// Whether the broker accepts events.
    var condition: DependencyCondition {
        if let trouble = relay.brokerState { return .down(reason: trouble) }
        return relay.brokerBlocked.map { .degraded(reason: "the broker accepts no events: \($0)") } ?? .up
    }

    /// Call it when messages were stored.
    var hint: @Sendable () -> Void { { [relay] in relay.wake() } }

    /// Call it with the trace that a message belongs to.
    var noteTrace: @Sendable (String, MessageID) -> Void { { [traces] in traces.note($0, of: $1) } }

    /// Call it with the id of an instance whose lease has ended; its pending events are taken over.
    var instanceLost: @Sendable (InstanceID) -> Void {
        { [relay] dead in Task { await relay.adopt(from: dead) } }
    }

    /// Call it when a user's visible presence changed; nil when no queue is configured for these events.
    var presenceChanged: (@Sendable (PresenceEdge, _ isOwn: Bool) -> Void)? {
        guard let presence else { return nil }
        return { presence.note($0, isOwn: $1) }
    }

    func start() {
        relay.start()
        presence?.start()
    }

    func stop() async {
        async let isRelayed: Void = relay.stop()
        await presence?.stop()
        await isRelayed
    }
}

extension Configuration.Events {
    /// The brokers that RABBITMQ_URL names, in its order, with the query parameters that RabbitMQ's own clients know: `heartbeat`,
    /// `cacertfile`, `certfile`, `keyfile`.
    func endpoints() throws(InvalidConfiguration) -> [RabbitMQEndpoint] {
        var endpoints: [RabbitMQEndpoint] = []
        for broker in brokers { endpoints.append(try Self.endpoint(broker)) }
        return endpoints
    }

    private static func endpoint(_ broker: ServerURL) throws(InvalidConfiguration) -> RabbitMQEndpoint {
        let known: Set = ["heartbeat", "cacertfile", "certfile", "keyfile"]
        guard let parameters = broker.parameters(known: known) else {
            throw InvalidConfiguration(
                problems: ["RABBITMQ_URL: of the parameters only \(known.sorted()) are known"], warnings: [])
        }
        var endpoint = RabbitMQEndpoint(
            host: broker.host, port: broker.port.map { UInt16($0) }, user: broker.user,
            password: broker.password?.text, virtualHost: broker.path.flatMap { $0.isEmpty ? nil : $0 } ?? "/",
            tls: broker.scheme == "amqps" ? RabbitMQEndpoint.TLS(authorityFile: parameters["cacertfile"]) : nil)
        if let chain = parameters["certfile"], let key = parameters["keyfile"] {
            endpoint.tls?.certificate = (chain, key)
        }
        if let text = parameters["heartbeat"] {
            guard let seconds = Int(text), (1...3600).contains(seconds) else {
                throw InvalidConfiguration(
                    problems: ["RABBITMQ_URL: heartbeat must be 1 to 3600 seconds"], warnings: [])
            }
            endpoint.heartbeat = .seconds(seconds)
        }
        return endpoint
    }
}
