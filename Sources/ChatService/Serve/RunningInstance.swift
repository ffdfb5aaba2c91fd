import ChatCore
import ChatDomain
import Crypto
import EventLoop
import Gateway
import Identity
import PersistenceInProcess
import Telemetry
import Workers

/// The parts of one instance, started in the order of dependence and stopped in reverse.
struct RunningInstance {
    let port: UInt16
    private let gateway: Gateway
    private let store: any DurableStore
    private let files: (any FileStore)?
    private let credentials: LiveCredentials
    private let identity: IdentityServices?
    private let redis: RedisServices?
    private let events: EventServices?
    private let tracing: TracingServices?
    private let webhooks: WebhookServices?
    private let control: ControlServer?
    private let logger: Logger

    init(_ configuration: Configuration, logger: Logger, registry: MetricsRegistry) async throws {
        self.logger = logger
        ProcessMetrics.register(in: registry)
        let credentials = try ServiceCredentials(configuration)
        credentials.logIgnoredKeys(to: logger)
        let live = LiveCredentials(credentials, configuration.authentication)
        self.credentials = live
        identity = try IdentityServices(configuration.authentication, logger: logger, registry: registry)
        var authorities: [any TokenAuthority] = identity?.authorities ?? []
        if let verifier = live.verifier { authorities.insert(verifier, at: 0) }
        let store = try await configuration.openStore()
        self.store = store
        let files = try await configuration.openFiles()
        self.files = files
        control = configuration.controlServer(of: store, logger: logger)
        let loops = Self.startLoops(configuration.listening.eventLoops)
        redis = configuration.redis.map {
            RedisServices(
                configuration, $0, on: RedisServices.loop(among: loops), logger: logger, registry: registry)
        }
        try await redis?.requireOwnName(configuration.instance)
        let directory: any SessionDirectory = redis?.directory ?? configuration.openDirectory()
        let tracing = try configuration.tracing.map {
            try TracingServices(configuration, $0, logger: logger, registry: registry)
        }
        self.tracing = tracing
        events = try configuration.events.map {
            try EventServices(
                configuration, $0, store: store, directory: directory, tracer: tracing?.tracer, logger: logger,
                registry: registry)
        }
        webhooks = try WebhookServices(
            configuration, store: store, directory: directory, tracer: tracing?.tracer, logger: logger,
            registry: registry)
        var observers = ChatObservers()
        observers.storedMessages = events?.hint
        observers.instanceLost = events?.instanceLost
        observers.noteTrace = events?.noteTrace
        observers.tracer = tracing?.tracer
        observers.presenceChanged = events?.presenceChanged
        webhooks?.observe(&observers)
        gateway = try await Gateway(
            configuration: try configuration.gateway(tls: credentials.tls, serviceKey: live.serviceKey),
            loops: loops,
            ports: ChatPorts(
                store: store, directory: directory, bus: redis?.bus, cache: redis?.cache,
                recovery: redis?.recovery
                    ?? InProcessRecovery(clock: { Now.system.monotonic }),
                files: files, hook: webhooks?.hook),
            observers: observers, authentication: configuration.authenticationPolicy(authorities, logger: logger),
            logger: logger, registry: registry)
        gateway.dependencies.add("store", isRequired: true) {
            do throws(StoreError) {
                try await store.probe()
                return .up
            } catch {
                return .down(reason: "\(error)")
            }
        }
        if let files {
            gateway.dependencies.add("files", isRequired: false) {
                do throws(StoreError) {
                    try await files.probe()
                    return .up
                } catch {
                    return .degraded(reason: error.reason)
                }
            }
        }
        tracing?.start()
        identity?.start(reportingTo: gateway.dependencies)
        if let redis { gateway.dependencies.add("redis", isRequired: false) { redis.condition } }
        if let events {
            gateway.dependencies.add("rabbitmq", isRequired: false) { events.condition }
            events.start()
        }
        webhooks?.start(reportingTo: gateway.dependencies)
        let address = try Self.address(configuration.listening.host)
        try Listener.requireUnused(address: address, port: UInt16(configuration.listening.port))
        if let listener = configuration.listening.internalListener {
            _ = try await gateway.listenInternally(
                address: try Self.address(listener.host), port: UInt16(listener.port))
        }
        port = try await gateway.listen(address: address, port: UInt16(configuration.listening.port))
    }

    private static func startLoops(_ count: Int) -> [EventLoop] {
        let loops = (0..<max(count, 1)).map { EventLoop(name: "loop-\($0)") }
        for loop in loops { loop.start() }
        return loops
    }

    private static func address(_ host: String) throws(ListenError) -> IPAddress {
        guard let address = IPAddress(host) else {
            throw ListenError(description: "a listener needs an IP address, not a name: \(host)")
        }
        return address
    }

    /// The parts that take new settings while the instance runs. Webhook receivers that were disabled are asked again.
    var reloadTargets: Reload.Targets {
        Reload.Targets(
            replaceCredentials: { [credentials, gateway, webhooks] new async throws(TLSError) in
                let replaced = try await credentials.replace(with: new, in: gateway)
                webhooks?.reload()
                return replaced
            },
            refetchKeySet: identity?.refetchKeySet, replaceOrigins: { [gateway] in gateway.replaceOrigins($0) },
            replaceRates: { [gateway] in gateway.replaceRates(messages: $0, connections: $1) })
    }

    /// Has operators reload and drain the instance through its interface.
    ///
    /// - Parameter grace: how long a drain may take.
    func offerControl(reload: Reload, grace: Duration) {
        gateway.services.control.set(
            reload: { await reload.perform() }, drain: { [gateway] in await gateway.drain(over: grace) })
    }

    /// Records a reload that a signal asked for.
    var recordReload: @Sendable (ReloadReport) async -> Void {
        { [gateway] report in
            let outcome = report.isApplied ? AuditEntry.Outcome.done : .refused
            await gateway.services.audit.record(AuditAct(.reload, outcome: outcome, detail: "SIGHUP"))
        }
    }

    /// Returns when every loop has run once.
    var respond: @Sendable () async -> Void { { [gateway] in await gateway.respond() } }

    /// The time that all parts have together after the sessions are gone. The documents tell operators to wait five seconds
    /// longer than the grace.
    private static let stopLimit: Duration = .milliseconds(3500)
    /// The time that each part has at least.
    private static let leastStopLimit: Duration = .milliseconds(150)

    /// Drains the sessions and stops the parts. A part that waits for another server is left behind when its time is over.
    func stop(within grace: Duration) async {
        await gateway.drain(over: grace)
        let deadline = ContinuousClock.now + Self.stopLimit
        await finish("presence", within: .milliseconds(1500), until: deadline) { [gateway] in await gateway.leave() }
        if let events { await finish("events", within: .milliseconds(3200), until: deadline) { await events.stop() } }
        if let webhooks {
            await finish("webhooks", within: .milliseconds(3000), until: deadline) { await webhooks.stop() }
        }
        if let tracing {
            await finish("traces", within: .milliseconds(1000), until: deadline) { await tracing.stop() }
        }
        if let identity {
            await finish("identity", within: .milliseconds(500), until: deadline) { await identity.stop() }
        }
        if let redis { await finish("redis", within: .milliseconds(500), until: deadline) { await redis.close() } }
        gateway.stop()
        control?.stop()
        if let files { await finish("files", within: .milliseconds(500), until: deadline) { await files.close() } }
        await finish("store", within: Self.stopLimit, until: deadline) { [store] in await store.close() }
    }

    private func finish(
        _ part: String, within limit: Duration, until deadline: ContinuousClock.Instant,
        _ work: @escaping @Sendable () async -> Void
    ) async {
        let left = max(min(limit, deadline - .now), Self.leastStopLimit)
        guard await !BoundedWait.wait(upTo: left, for: work) else { return }
        logger.warning("stopped without waiting longer", ["part": part, "afterMs": Int(left.wholeMilliseconds)])
    }
}
