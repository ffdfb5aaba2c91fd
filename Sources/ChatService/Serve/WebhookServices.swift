import ChatCore
import ChatDomain
import Gateway
import HTTPClient
import MessagingWebhooks
import Telemetry

/// The operator's own services that this instance calls: webhook receivers, and the hook before messages.
struct WebhookServices: Sendable {
    private let client: HTTPClient
    private let webhooks: Webhooks?
    private let beforeMessage: BeforeMessageHook?

    /// nil where neither is configured.
    init?(
        _ configuration: Configuration, store: any DurableStore, directory: any SessionDirectory,
        tracer: (any MessageTracer)?, logger: Logger, registry: MetricsRegistry
    ) throws {
        let settings = configuration.webhooks
        guard settings.webhooks != nil || settings.beforeMessage != nil else { return nil }
        var limits = HTTPClient.Settings(
            name: "webhooks", certificateAuthorities: settings.certificateAuthorities)
        limits.maximumConnections = 256
        limits.maximumConnectionsPerHost = 128
        let client = try HTTPClient(limits)
        self.client = client
        let send = { @Sendable (request: HTTPClientRequest) async throws(HTTPClientError) in
            try await client.send(request)
        }
        webhooks = settings.webhooks.map {
            Webhooks(
                $0, instance: configuration.instance, store: store, isAlive: { await directory.isAlive($0) },
                tracer: tracer, clock: { Now.system.wall }, logger: logger, registry: registry, send: send)
        }
        beforeMessage = settings.beforeMessage.map {
            BeforeMessageHook($0, clock: { Now.system.wall }, logger: logger, registry: registry, send: send)
        }
    }

    var hook: (any MessageHook)? { beforeMessage }

    /// Adds what webhooks observe to what others do.
    func observe(_ observers: inout ChatObservers) {
        guard let webhooks else { return }
        let (stored, lost, presence) = (observers.storedMessages, observers.instanceLost, observers.presenceChanged)
        observers.storedMessages = {
            stored?()
            webhooks.wake()
        }
        observers.instanceLost = { dead in
            lost?(dead)
            Task { await webhooks.adopt(from: dead) }
        }
        observers.presenceChanged = { edge, isOwn in
            presence?(edge, isOwn)
            webhooks.note(edge, isOwn: isOwn)
        }
        observers.roomChanged = { webhooks.note($0) }
        observers.replayedWebhooks = { webhooks.noteReplay(of: $0) }
    }

    /// Neither is required: what is owed to receivers waits in the store.
    func start(reportingTo dependencies: Dependencies) {
        if let webhooks {
            dependencies.add("webhooks", isRequired: false) {
                webhooks.trouble.map(DependencyCondition.degraded(reason:)) ?? .up
            }
            webhooks.start()
        }
        if let beforeMessage {
            dependencies.add("hook", isRequired: false) {
                beforeMessage.failureReason.map(DependencyCondition.down(reason:)) ?? .up
            }
        }
    }

    /// Asks receivers again that answered 410.
    func reload() { webhooks?.enableAll() }

    func stop() async {
        await webhooks?.stop()
        await client.close()
    }
}
