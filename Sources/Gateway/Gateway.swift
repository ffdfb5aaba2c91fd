public import ChatCore
import ChatDomain
public import Crypto
public import EventLoop
public import Identity
public import Telemetry

/// A running server: its loops and what they share.
public final class Gateway: Sendable {
    /// Everything that the loops share.
    public let services: Services
    private let context: GatewayContext
    private let shards: [Shard]
    private let erasures: ErasureRunner

    /// The dependencies whose condition `/ready` reports.
    public var dependencies: Dependencies { services.dependencies }

    /// Opens a shard on every loop. Nothing is listened on yet.
    ///
    /// - Parameter loops: they run already, and `stop` ends them.
    /// - Throws: when OpenSSL refuses the configured certificate or key.
    public init(
        configuration: GatewayConfiguration, loops: [EventLoop], ports: ChatPorts,
        observers: ChatObservers = ChatObservers(), authentication: AuthenticationPolicy, logger: Logger,
        registry: MetricsRegistry
    ) async throws {
        let shards = loops.enumerated().map { Shard(loop: $1, index: UInt16($0)) }
        self.shards = shards
        let mailboxes = ShardMailboxes(
            chat: shards.map { shard in
                Mailbox(
                    wake: { shard.loop.post { shard.openMailbox() } }, takeAtOnce: { shard.takeAtOnce($0) })
            },
            polls: shards.map { shard in Mailbox { shard.loop.post { shard.openPolls() } } })
        services = Services(
            configuration: configuration.chatWithEngineLimits, ports: ports, observers: observers,
            authentication: authentication, logger: logger, registry: registry, clock: SystemClock(),
            mailboxes: mailboxes.chat)
        erasures = ErasureRunner(services: services)
        let context = GatewayContext(configuration: configuration, services: services, registry: registry)
        self.context = context
        for shard in shards { try await shard.open(context, mailboxes) }
        services.startBus()
        services.startPresence()
        services.startFiles()
        await services.watchChanges()
        await services.beginFollowingStandings()
        erasures.start()
        services.audit.start()
    }

    /// Opens the port on every loop, where the system spreads connections over them.
    ///
    /// - Parameter port: 0 for one that the system chooses.
    /// - Returns: the port in use.
    /// - Throws: `ListenError` when the port cannot be opened.
    public func listen(address: IPAddress, port: UInt16) async throws -> UInt16 {
        guard let first = shards.first else { return port }
        let shared = shards.count > 1 && Listener.canShare
        let chosen = try await first.listen(address: address, port: port, shared: shared)
        for shard in shards.dropFirst() where shared {
            _ = try await shard.listen(address: address, port: chosen, shared: true)
        }
        return chosen
    }

    /// Opens the port for other services, on one loop.
    ///
    /// - Parameter port: 0 for one that the system chooses.
    /// - Returns: the port in use.
    /// - Throws: `ListenError` when the port cannot be opened; a TLS error when OpenSSL refuses the certificate or key.
    public func listenInternally(address: IPAddress, port: UInt16) async throws -> UInt16 {
        guard let first = shards.first else { return port }
        return try await first.listenInternally(address: address, port: port)
    }

    /// Uses another certificate for new TLS handshakes. Existing connections stay; without TLS nothing changes.
    ///
    /// - Throws: when OpenSSL refuses the credentials; loops that did not take them keep the previous ones.
    public func replaceTLSCredentials(_ credentials: TLSCredentials) async throws(TLSError) {
        for shard in shards { try await shard.replaceTLSCredentials(credentials) }
    }

    /// Lets pages of other sites talk to the server from now on, in place of those before.
    public func replaceOrigins(_ origins: OriginPolicy) { context.origins = origins }

    /// Uses other rates from now on, for existing connections too.
    ///
    /// - Parameters:
    ///   - messages: messages a second and user, 0 for no limit. The other rates of users follow from it.
    ///   - connections: new connections a second and address, 0 for no limit.
    public func replaceRates(messages: Int, connections: Int) {
        services.users.messageRate = messages
        services.limits.setMessageRate(messages)
        context.addresses.setRates(connections: connections, calls: messages)
    }

    /// Returns when every loop has run once; a loop that is stuck delays it.
    public func respond() async {
        for shard in shards { await shard.respond() }
    }

    /// Sends the sessions elsewhere: readiness goes first, then they, a few at a time.
    ///
    /// - Parameter limit: the longest time sessions have to move elsewhere; where other instances can take them sooner, they
    ///   go sooner.
    public func drain(over limit: Duration) async {
        services.readiness.beginDraining()
        erasures.stop()
        let plan = DrainPlan(
            sessions: await sessionCount, others: services.presence.directory.otherInstances, limit: limit)
        for shard in shards { await shard.drain(plan) }
        let deadline = services.clock.now.monotonic + (plan.spread + Self.closingTime)
        while await sessionCount > 0, services.clock.now.monotonic < deadline {
            try? await Task.sleep(for: Self.checkInterval)
        }
    }

    /// Closes every connection that is left, and announces to the other instances that this one ends.
    public func leave() async {
        for shard in shards { await shard.close() }
        await services.presence.close()
        // The last words go out before the loops end.
        try? await Task.sleep(for: .milliseconds(50))
    }

    /// Ends the loops.
    public func stop() {
        for shard in shards { shard.loop.stop() }
    }

    /// Between two counts of the sessions that are left.
    private static let checkInterval: Duration = .milliseconds(20)
    /// How long the last sessions have to answer the end of their connections.
    private static let closingTime: Duration = .seconds(1)

    private var sessionCount: Int {
        get async {
            var count = 0
            for shard in shards { count += await shard.sessionCount }
            return count
        }
    }
}
