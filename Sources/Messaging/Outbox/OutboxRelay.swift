public import ChatDomain
import Synchronization
public import Telemetry
import Workers

/// Brings the events of stored messages to the broker, at least once each, whatever fails in between.
///
/// It reads what the store holds pending under this instance, publishes, and clears what the broker has confirmed. What
/// dead instances left pending it takes over.
public final class OutboxRelay: Sendable {
    enum Input: Sendable {
        case woken
        case broker(BrokerReport)
        case read(Result<[AddressedMessage], StoreError>, limit: Int, epoch: UInt64)
        case cleared(Result<Void, StoreError>)
        case tick
        case finish
    }

    private static let finishMilliseconds: Int64 = 2000

    let instance: InstanceID
    let outbox: any Outbox
    let directory: EventDirectory
    let metrics: RelayMetrics
    let storeTrouble: OccasionalLogger
    private let broker: any EventBroker
    private let brokerTrouble: OccasionalLogger
    private let logger: Logger
    private let clock: @Sendable () -> Moment
    private let inputs: AsyncStream<Input>
    private let input: AsyncStream<Input>.Continuation
    private let isWoken = Atomic<Bool>(false)
    private let trouble = Mutex<(down: String?, blocked: String?)>(("not connected yet", nil))
    private let tasks = Mutex<(relay: Task<Void, Never>, upkeep: Task<Void, Never>)?>(nil)
    private let mode: EventMode
    private let pacing: RelayPacing
    private let traces: TraceCache

    /// - Parameters:
    ///   - instance: whose pending events these are.
    ///   - clock: never goes back.
    public init(
        instance: InstanceID, mode: EventMode, outbox: any Outbox, broker: any EventBroker, directory: EventDirectory,
        traces: TraceCache = TraceCache(), pacing: RelayPacing = RelayPacing(), logger: Logger,
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
        self.logger = logger
        self.clock = clock
        metrics = RelayMetrics(registry) { Timestamp(milliseconds: WallClock.milliseconds()) }
        storeTrouble = OccasionalLogger(logger)
        brokerTrouble = OccasionalLogger(logger)
        (inputs, input) = AsyncStream.makeStream(of: Input.self)
    }

    /// Starts to relay. Called once.
    public func start() {
        let relay = Task { await run() }
        let upkeep = Task { await keepUp() }
        tasks.withLock { $0 = (relay, upkeep) }
        broker.start { [input] in input.yield(.broker($0)) }
    }

    /// This instance has stored messages. From any thread; cheap however often it is called.
    public func wake() {
        if !isWoken.exchange(true, ordering: .relaxed) { input.yield(.woken) }
    }

    /// What is wrong with the broker; nil when all is well.
    public var brokerState: String? { trouble.withLock { $0.down } }

    /// Why the broker takes no events at the moment, by its own word; nil where it does, or is not there.
    public var brokerBlocked: String? { trouble.withLock { $0.blocked } }

    /// Publishes what is pending as far as the broker takes it within two seconds, and lets go of the broker. What is left
    /// stays pending. What waits for a store that stands still is not waited for.
    public func stop() async {
        input.yield(.finish)
        let tasks = tasks.withLock { $0 }
        tasks?.upkeep.cancel()
        await tasks?.relay.value
        await broker.stop()
    }

    private func run() async {
        var machine = RelayMachine(mode: mode, pacing: pacing, random: SystemRandomNumberGenerator())
        var timer = RelayTimer(input)
        var finishAt: Moment?
        for await input in inputs {
            handle(input, &machine)
            if case .finish = input {
                finishAt = clock() + Self.finishMilliseconds
                machine.woken(at: clock())
            }
            while let action = machine.next(at: clock()) { perform(action) }
            let now = clock()
            if let finishAt {
                let isHopeless = !machine.isConnected || brokerBlocked != nil
                if now >= finishAt || isHopeless || machine.isIdle(at: now) { break }
            }
            timer.arm([machine.deadline, finishAt].compactMap { $0 }.min(), at: now)
        }
        timer.cancel()
    }

    private func handle(_ input: Input, _ machine: inout RelayMachine) {
        let now = clock()
        switch input {
        case .woken:
            isWoken.store(false, ordering: .relaxed)
            machine.woken(at: now)
        case .broker(let report): handle(report, &machine, at: now)
        case .read(.success(let messages), let limit, let epoch):
            machine.read(messages, limit: limit, epoch: epoch, at: now)
        case .read(.failure(let error), _, _):
            storeTrouble.warning("pending events cannot be read", ["reason": "\(error)"])
            machine.readFailed(at: now)
        case .cleared(.success): machine.cleared(at: now)
        case .cleared(.failure(let error)):
            storeTrouble.warning("published events cannot be cleared", ["reason": "\(error)"])
            machine.clearFailed(at: now)
        case .tick, .finish: break
        }
    }

    private func handle(_ report: BrokerReport, _ machine: inout RelayMachine, at now: Moment) {
        switch report {
        case .connected:
            trouble.withLock { $0 = (nil, nil) }
            metrics.connection(isUp: true)
            logger.info("broker connected")
            machine.connected(at: now)
        case .settled(let outcomes):
            metrics.settled(outcomes)
            machine.settled(outcomes, at: now)
        case .blocked(let reason):
            trouble.withLock { $0.blocked = reason }
            metrics.blocked(reason != nil)
            if let reason {
                brokerTrouble.warning("the broker takes no events; they wait in the store", ["reason": reason])
            } else {
                logger.info("the broker takes events again")
            }
        case .disconnected(let error):
            trouble.withLock { $0 = (error.description, nil) }
            metrics.connection(isUp: false)
            brokerTrouble.warning("no broker; events wait in the store", ["reason": error.description])
            machine.disconnected(at: now)
        }
    }

    private func perform(_ action: RelayMachine.Action) {
        switch action {
        case .publish(let events):
            metrics.published.add(events.count)
            broker.publish(events)
        case .read(let limit, let except, let epoch):
            Task { input.yield(.read(await pending(limit, except), limit: limit, epoch: epoch)) }
        case .clear(let ids):
            Task { input.yield(.cleared(await clear(ids))) }
        }
    }

    private func pending(
        _ limit: Int, _ except: Set<MessageID>
    ) async -> Result<[AddressedMessage], StoreError> {
        do throws(StoreError) {
            let messages = try await outbox.pendingEvents(of: instance, limit: limit, except: except)
            var addressed = try await directory.address(messages)
            for index in addressed.indices {
                addressed[index].traceparent = traces.traceparent(of: addressed[index].message.id)
            }
            return .success(addressed)
        } catch {
            return .failure(error)
        }
    }

    private func clear(_ ids: [MessageID]) async -> Result<Void, StoreError> {
        do throws(StoreError) {
            return .success(try await outbox.clearEvents(ids))
        } catch {
            return .failure(error)
        }
    }
}

/// One tick at a time, at the earliest moment asked for.
private struct RelayTimer {
    private let input: AsyncStream<OutboxRelay.Input>.Continuation
    private var armed: (due: Moment, task: Task<Void, Never>)?

    init(_ input: AsyncStream<OutboxRelay.Input>.Continuation) { self.input = input }

    mutating func arm(_ due: Moment?, at now: Moment) {
        if let armed, let due, armed.due == due, due > now { return }
        cancel()
        guard let due else { return }
        let wait = max(1, due - now)
        let task = Task { [input] in
            guard (try? await Task.sleep(for: .milliseconds(wait))) != nil else { return }
            input.yield(.tick)
        }
        armed = (due, task)
    }

    mutating func cancel() {
        armed?.task.cancel()
        armed = nil
    }
}
