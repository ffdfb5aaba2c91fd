public import ChatDomain
import Synchronization
public import Telemetry
import Workers

/// Publishes the events of stored messages and changes to the broker, at least once each.
///
/// The relay reads the messages that are pending under this instance, publishes their events, and clears the messages whose
/// events the broker has confirmed. It takes over what dead instances left pending.
public final class OutboxRelay: Sendable {
    private enum Input: Sendable {
        case hint
        case broker(BrokerReport)
        case read(Result<[AddressedEntry], StoreError>, limit: Int, epoch: UInt64)
        case cleared(Result<Void, StoreError>)
        case timer
        case stop
    }

    private static let stopLimit = Duration.seconds(2)

    private let instance: InstanceID
    private let outbox: any Outbox
    private let broker: any EventBroker
    private let directory: EventDirectory
    private let mode: EventMode
    private let pacing: RelayPacing
    private let traces: TraceCache
    private let tracer: (any MessageTracer)?
    private let metrics: RelayMetrics
    private let logger: Logger
    private let storeLogger: OccasionalLogger
    private let brokerLogger: OccasionalLogger
    private let clock: @Sendable () -> Moment
    private let inputs: AsyncStream<Input>
    private let input: AsyncStream<Input>.Continuation
    /// A hint is in `inputs` already.
    private let isHinted = Atomic<Bool>(false)
    private let condition = Mutex<(down: String?, blocked: String?)>(("not connected yet", nil))
    private let tasks = Mutex<(relay: Task<Void, Never>, maintenance: Task<Void, Never>)?>(nil)

    /// - Parameters:
    ///   - instance: the owner of the pending events.
    ///   - clock: never goes back.
    public init(
        instance: InstanceID, mode: EventMode, outbox: any Outbox, broker: any EventBroker, directory: EventDirectory,
        traces: TraceCache = TraceCache(), tracer: (any MessageTracer)? = nil, pacing: RelayPacing = RelayPacing(),
        logger: Logger,
        registry: MetricsRegistry,
        clock: @escaping @Sendable () -> Moment = { Moment(milliseconds: WallClock.monotonicMilliseconds()) }
    ) {
        self.instance = instance
        self.mode = mode
        self.outbox = outbox
        self.broker = broker
        self.directory = directory
        self.pacing = pacing
        self.traces = traces
        self.tracer = tracer
        self.logger = logger
        self.clock = clock
        metrics = RelayMetrics(registry) { Timestamp(milliseconds: WallClock.milliseconds()) }
        storeLogger = OccasionalLogger(logger)
        brokerLogger = OccasionalLogger(logger)
        (inputs, input) = AsyncStream.makeStream(of: Input.self)
    }

    /// Starts to relay. Called once.
    public func start() {
        let relay = Task { await run() }
        let maintenance = Task { await self.maintenance.run() }
        tasks.withLock { $0 = (relay, maintenance) }
        broker.start { [input] in input.yield(.broker($0)) }
    }

    /// Notifies the relay that this instance has stored messages. From any thread; cheap however often it is called.
    public func wake() {
        if !isHinted.exchange(true, ordering: .relaxed) { input.yield(.hint) }
    }

    /// Takes over what a dead instance has pending, at once.
    ///
    /// - Parameter dead: an instance whose lease has ended. A live instance would publish the same events too.
    public func adopt(from dead: InstanceID) async { await maintenance.adopt(from: dead) }

    /// Why the broker is not connected; nil while it is.
    public var brokerState: String? { condition.withLock { $0.down } }

    /// The reason the broker gave for not accepting events at the moment; nil while it accepts them or is not connected.
    public var brokerBlocked: String? { condition.withLock { $0.blocked } }

    /// Publishes what is pending as far as the broker accepts it within two seconds, and closes the connection to the broker.
    /// The rest stays pending. A store that does not answer is not waited for.
    public func stop() async {
        input.yield(.stop)
        let tasks = tasks.withLock { $0 }
        tasks?.maintenance.cancel()
        await tasks?.relay.value
        await broker.stop()
    }

    private var maintenance: OutboxMaintenance {
        OutboxMaintenance(
            instance: instance, outbox: outbox, isAlive: directory.isAlive, metrics: metrics, logger: storeLogger
        ) { [self] in wake() }
    }

    // MARK: Inputs of the machine

    private func run() async {
        var machine = RelayMachine(mode: mode, pacing: pacing, random: SystemRandomNumberGenerator())
        var timer = RelayTimer { [input] in input.yield(.timer) }
        var stopAt: Moment?
        for await input in inputs {
            receive(input, &machine)
            if case .stop = input {
                stopAt = clock() + Self.stopLimit
                machine.receivedHint(at: clock())
            }
            while let action = machine.next(at: clock()) { perform(action) }
            let now = clock()
            if let stopAt {
                let isHopeless = !machine.isConnected || brokerBlocked != nil
                if now >= stopAt || isHopeless || machine.isIdle(at: now) { break }
            }
            timer.arm([machine.deadline, stopAt].compactMap { $0 }.min(), at: now)
        }
        timer.cancel()
    }

    private func receive(_ input: Input, _ machine: inout RelayMachine) {
        let now = clock()
        switch input {
        case .hint:
            isHinted.store(false, ordering: .relaxed)
            machine.receivedHint(at: now)
        case .broker(let report): receive(report, &machine, at: now)
        case .read(.success(let messages), let limit, let epoch):
            machine.receivedMessages(messages, limit: limit, epoch: epoch, at: now)
        case .read(.failure(let error), _, _):
            storeLogger.warning("pending events cannot be read", ["reason": "\(error)"])
            machine.didFailReading(at: now)
        case .cleared(.success): machine.didClear(at: now)
        case .cleared(.failure(let error)):
            storeLogger.warning("published events cannot be cleared", ["reason": "\(error)"])
            machine.didFailClearing(at: now)
        case .timer, .stop: break
        }
    }

    private func receive(_ report: BrokerReport, _ machine: inout RelayMachine, at now: Moment) {
        switch report {
        case .connected:
            condition.withLock { $0 = (nil, nil) }
            metrics.setConnected(true)
            logger.info("broker connected")
            machine.didConnect(at: now)
        case .answered(let outcomes):
            metrics.record(outcomes)
            let confirmed = machine.receivedOutcomes(outcomes, at: now)
            tracer?.end(.event, of: confirmed, failure: nil)
        case .blocked(let reason):
            condition.withLock { $0.blocked = reason }
            metrics.setBlocked(reason != nil)
            if let reason {
                brokerLogger.warning("the broker accepts no events; they wait in the store", ["reason": reason])
            } else {
                logger.info("the broker accepts events again")
            }
        case .disconnected(let error):
            condition.withLock { $0 = (error.description, nil) }
            metrics.setConnected(false)
            brokerLogger.warning("no broker; events wait in the store", ["reason": error.description])
            machine.didDisconnect(at: now)
        }
    }

    // MARK: Actions of the machine

    private func perform(_ action: RelayMachine.Action) {
        switch action {
        case .publish(let events):
            metrics.published.add(events.count)
            broker.publish(events)
        case .read(let limit, let except, let epoch):
            Task { input.yield(.read(await readPending(limit, except), limit: limit, epoch: epoch)) }
        case .clear(let ids):
            Task { input.yield(.cleared(await clear(ids))) }
        }
    }

    private func readPending(
        _ limit: Int, _ except: Set<MessageID>
    ) async -> Result<[AddressedEntry], StoreError> {
        do throws(StoreError) {
            let entries = try await outbox.pendingEvents(
                of: instance, to: .broker, limit: limit, except: except)
            var addressed = try await directory.address(entries)
            for index in addressed.indices {
                let id = addressed[index].entry.id
                addressed[index].traceparent = tracer?.traceparent(of: .event, of: id) ?? traces.traceparent(of: id)
            }
            tracer?.begin(.event, of: addressed.map(\.entry.id))
            return .success(addressed)
        } catch {
            return .failure(error)
        }
    }

    private func clear(_ ids: [MessageID]) async -> Result<Void, StoreError> {
        do throws(StoreError) {
            return .success(try await outbox.clearEvents(ids, to: .broker))
        } catch {
            return .failure(error)
        }
    }
}
