import ChatCore
import ChatDomain
import Crypto
import EventLoop
import Gateway
import Identity
import PersistenceInProcess
import Telemetry
import Workers

/// `chat-service serve`: puts an instance together, runs it until it is told to stop, and winds it up.
enum ServeCommand {
    static func run(_ loaded: LoadedConfiguration) async -> Int32 {
        let configuration = loaded.configuration
        let logger: Logger
        do throws(RotatingFileSink.Unusable) { logger = try configuration.logging.makeLogger() } catch {
            Logger(level: .error, format: .pretty(colours: false), sink: StandardErrorSink()).error("\(error)")
            return ExitCode.configuration
        }
        StartBanner.log(configuration, warnings: loaded.warnings, to: logger)
        let signals = Signals()
        do {
            let instance = try await RunningInstance(configuration, logger: logger)
            logger.notice("listening", ["port": Int(instance.port)])
            let signal = await signals.next()
            logger.notice("draining", ["signal": signal, "graceMs": configuration.shutdownGrace])
            await instance.stop(graceMilliseconds: Int64(configuration.shutdownGrace))
            logger.notice("stopped")
            return ExitCode.success
        } catch {
            logger.error("cannot start: \(reason(error))")
            return ExitCode.failure
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? StoreError)?.reason ?? "\(error)"
    }
}

/// Everything one instance consists of, started in the order of dependence and stopped in reverse.
struct RunningInstance {
    let gateway: Gateway
    let store: any DurableStore
    let port: UInt16
    private let redis: RedisServices?
    private let events: EventServices?
    private let control: ControlServer?
    private let logger: Logger

    init(_ configuration: Configuration, logger: Logger) async throws {
        self.logger = logger
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry)
        let store = try await configuration.openStore()
        self.store = store
        control = configuration.controlServer(of: store, logger: logger)
        redis = configuration.redis.map { RedisServices(configuration, $0, logger: logger, registry: registry) }
        try await redis?.requireOwnName(configuration.instance)
        let directory: any SessionDirectory = redis?.directory ?? configuration.openDirectory()
        events = try configuration.events.map {
            try EventServices(configuration, $0, store: store, directory: directory, logger: logger, registry: registry)
        }
        var observers = ChatObservers()
        observers.storedMessages = events?.hint
        observers.instanceLost = events?.instanceLost
        observers.noteTrace = events?.noteTrace
        observers.presenceChanged = events?.presenceChanged
        gateway = try await Gateway(
            configuration: try configuration.gateway(), loops: configuration.listening.eventLoops,
            ports: ChatPorts(
                store: store, directory: directory, bus: redis?.bus, cache: redis?.cache,
                recovery: redis?.recovery
                    ?? InProcessRecovery(
                        clock: { Moment(milliseconds: WallClock.monotonicMilliseconds()) })),
            observers: observers, authentication: try configuration.authenticationPolicy(logger: logger),
            logger: logger, registry: registry)
        gateway.dependencies.add("store", isRequired: true) {
            do throws(StoreError) {
                try await store.probe()
                return .up
            } catch {
                return .down(reason: "\(error)")
            }
        }
        if let redis { gateway.dependencies.add("redis", isRequired: false) { redis.condition } }
        if let events {
            gateway.dependencies.add("rabbitmq", isRequired: false) { events.condition }
            events.start()
        }
        let address = try Self.address(configuration.listening.host)
        try Listener.requireUnused(address: address, port: UInt16(configuration.listening.port))
        if let listener = configuration.listening.internalListener {
            _ = try await gateway.listenInternally(
                address: try Self.address(listener.host), port: UInt16(listener.port))
        }
        port = try await gateway.listen(address: address, port: UInt16(configuration.listening.port))
    }

    private static func address(_ host: String) throws(ListenError) -> IPAddress {
        guard let address = IPAddress(host) else {
            throw ListenError(description: "a listener needs an address, not a name: \(host)")
        }
        return address
    }

    /// What the parts have together after the sessions are gone, in milliseconds: operators are told to wait five seconds
    /// longer than the grace.
    private static let windingUp: Int64 = 3500

    /// Winds everything up. It ends in time whatever another server does: a part that waits for one that stands still is left
    /// behind.
    func stop(graceMilliseconds: Int64) async {
        await gateway.drain(over: .milliseconds(graceMilliseconds))
        let end = WallClock.monotonicMilliseconds() + Self.windingUp
        await finish("presence", within: 1500, of: end) { [gateway] in await gateway.leave() }
        gateway.stop()
        if let events { await finish("events", within: 3200, of: end) { await events.stop() } }
        if let redis { await finish("redis", within: 500, of: end) { await redis.close() } }
        control?.stop()
        await finish("store", within: Self.windingUp, of: end) { [store] in await store.close() }
    }

    private func finish(
        _ part: String, within limit: Int64, of end: Int64, _ work: @escaping @Sendable () async -> Void
    ) async {
        // Also what comes last, behind others that took all the time, gets a moment.
        let left = max(min(limit, end - WallClock.monotonicMilliseconds()), 150)
        guard await !Patience.wait(upTo: .milliseconds(left), for: work) else { return }
        logger.warning("left behind at the end", ["part": part, "afterMs": Int(left)])
    }
}
