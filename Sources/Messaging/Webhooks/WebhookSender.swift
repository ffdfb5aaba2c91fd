import ChatDomain
import Synchronization
import Telemetry
import Workers

/// Makes the deliveries that this instance owes one receiver. Receivers do not wait for one another: each has its sender.
final class WebhookSender: Sendable {
    /// Requests to one receiver at once.
    static let concurrency = 8
    private static let batch = 64
    private static let pollInterval = Duration.seconds(5)

    let receiver: WebhookReceiver
    private let instance: InstanceID
    private let store: any WebhookStore
    private let schedule: RetrySchedule
    private let metrics: WebhookMetrics.Receiver
    private let tracer: (any MessageTracer)?
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger
    private let trouble: OccasionalLogger
    private let signal = Signal()
    private let isStopping = Mutex(false)

    /// - Parameter clock: the wall clock.
    init(
        _ receiver: WebhookReceiver, instance: InstanceID, store: any WebhookStore, schedule: RetrySchedule,
        metrics: WebhookMetrics.Receiver, tracer: (any MessageTracer)? = nil,
        clock: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        self.receiver = receiver
        self.instance = instance
        self.store = store
        self.schedule = schedule
        self.metrics = metrics
        self.tracer = tracer
        self.clock = clock
        self.logger = logger
        trouble = OccasionalLogger(logger)
    }

    /// Deliveries may be due.
    func wake() { signal.raise() }

    /// Ends `run` after the requests that are under way.
    func stop() {
        isStopping.withLock { $0 = true }
        signal.raise()
    }

    private var mustStop: Bool { isStopping.withLock { $0 } }

    /// Makes deliveries until `stop` is called.
    func run() async {
        var backoff = Backoff(base: .milliseconds(200), limit: .seconds(10))
        var random = SystemRandomNumberGenerator()
        while !mustStop {
            do throws(StoreError) {
                let wait = try await deliverDue()
                backoff.reset()
                if let wait { await signal.wait(upTo: wait) }
            } catch {
                trouble.warning("webhook deliveries wait for the store", ["reason": error.reason])
                await signal.wait(upTo: backoff.nextDelay(using: &random))
            }
        }
    }

    /// Attempts what is due, one batch of it.
    ///
    /// - Returns: how long nothing more is due, as far as this sender knows; nil when more may be due.
    func deliverDue() async throws(StoreError) -> Duration? {
        let now = clock()
        guard !receiver.isDisabled else { return Self.pollInterval }
        if let pause = receiver.pause(at: now) {
            return min(Self.pollInterval, .milliseconds(pause.milliseconds - now.milliseconds))
        }
        let due = try await store.dueDeliveries(of: instance, to: receiver.id, at: now, limit: Self.batch)
        guard !due.isEmpty else { return Self.pollInterval }
        let results = await attempt(due)
        if !results.isEmpty { try await store.record(results) }
        guard due.count < Self.batch else { return nil }
        let next = results.compactMap { result -> Timestamp? in
            if case .retry(let time, _) = result.outcome { time } else { nil }
        }.min()
        let left = next.map { Duration.milliseconds(max(1, $0.milliseconds - clock().milliseconds)) }
        // Deliveries that were stored meanwhile raised the signal.
        return min(Self.pollInterval, left ?? Self.pollInterval)
    }

    /// Attempts these, some at a time. A receiver that asks for a pause, or is gone, gets no more of them.
    private func attempt(_ due: [DueDelivery]) async -> [WebhookResult] {
        await withTaskGroup(of: WebhookResult?.self) { group in
            var results: [WebhookResult] = []
            var waiting = due[...]
            func startNext() {
                guard !mustStop, !receiver.isDisabled, receiver.pause(at: clock()) == nil,
                    let next = waiting.popFirst()
                else { return }
                group.addTask { await self.attempt(next) }
            }
            for _ in 0..<Self.concurrency { startNext() }
            for await result in group {
                if let result { results.append(result) }
                startNext()
            }
            return results
        }
    }

    /// - Returns: nil when nothing became of it.
    private func attempt(_ due: DueDelivery) async -> WebhookResult? {
        let id = due.delivery.id
        guard let body = WebhookEvent.body(of: due) else { return WebhookResult(id, .done) }
        guard let outcome = await send(id.event, body, of: due.entry?.message) else { return nil }
        let decision = schedule.decision(
            on: outcome, after: due.delivery.attempts, at: clock(), random: Double.random(in: 0...1))
        switch decision {
        case .done:
            metrics.delivered.add()
            receiver.noteFailure(nil)
            return WebhookResult(id, .done)
        case .retry(let time, let failure, let pause):
            note(failure, pause)
            return WebhookResult(id, .retry(at: time, failure: failure))
        case .dead(let failure, let pause):
            note(failure, pause)
            return dead(id, failure)
        case .gone(let failure):
            disable()
            note(failure, nil)
            return dead(id, failure)
        }
    }

    /// - Parameter message: the message that the event tells of; nil for another event.
    private func send(_ event: String, _ body: [UInt8], of message: Message?) async -> AttemptOutcome? {
        let step = MessageStep.webhook(receiver: receiver.number)
        let traced = tracer == nil ? [] : [message?.id].compactMap(\.self)
        tracer?.begin(step, of: traced)
        let traceparent = traced.first.flatMap { tracer?.traceparent(of: step, of: $0) }
        let outcome = await receiver.attempt(id: event, body: body, at: clock(), traceparent: traceparent)
        tracer?.end(step, of: traced, failure: outcome?.failure)
        return outcome
    }

    private func note(_ failure: String, _ pause: Timestamp?) {
        metrics.failed.add()
        receiver.noteFailure(failure)
        if let pause { receiver.pause(until: pause) }
        trouble.warning("webhook not delivered", ["receiver": receiver.name, "reason": failure])
    }

    private func dead(_ id: WebhookDelivery.ID, _ failure: String) -> WebhookResult {
        metrics.died.add()
        logger.warning("webhook became a dead letter", ["receiver": receiver.name, "event": id.event])
        return WebhookResult(id, .dead(at: clock(), failure: failure))
    }

    /// The receiver says that it takes no events any more.
    func disable() {
        guard !receiver.isDisabled else { return }
        receiver.disable()
        metrics.disabled.set(1)
        logger.error(
            "webhook receiver answered 410 and gets nothing more until a reload or a restart",
            ["receiver": receiver.name])
    }

    /// Asks a disabled receiver again from now on.
    func enable() {
        guard receiver.enable() else { return }
        metrics.disabled.set(0)
        logger.notice("webhook receiver enabled again", ["receiver": receiver.name])
        signal.raise()
    }
}
