import ChatDomain
import ChatProtocol
import JSON
import Telemetry

/// Brings the writes of one shard's rooms to the store: here, or by the instance that numbers the room. See ADR 27.
final class RoomCommitter {
    /// Between two looks for writes whose owner does not answer, and reports to senders that wait, while writes are under way.
    private static let tickInterval: Duration = .milliseconds(250)
    /// Traces of messages that are kept until they are forwarded, at most.
    private static let maximumTraces = 4096

    private let context: ShardContext
    private let services: Services
    private let parser = JSONParser(maximumDepth: RoomNewsCodec.maximumDepth)
    private var sequencer: RoomSequencer
    /// Without other writers no race can be lost, and nothing is forwarded.
    private let isSequenced: Bool
    private var isTicking = false
    private var traces = LatestMessages<String>(capacity: RoomCommitter.maximumTraces)
    /// The messages of each room's write under way, where messages are traced.
    private var received: [RoomID: [MessageID]] = [:]
    private let finished: (RoomWriteOutcome) -> Void

    /// - Parameter finished: takes the outcome of a write that was submitted.
    init(context: ShardContext, finished: @escaping (RoomWriteOutcome) -> Void) {
        self.context = context
        self.finished = finished
        services = context.services
        isSequenced = services.store.isShared
        // Larger in every later life of the instance: a million tickets take longer than a millisecond.
        let firstTicket = UInt64(max(context.now.wall.milliseconds, 0)) << 20
        sequencer = RoomSequencer(instance: services.configuration.instance, firstTicket: firstTicket)
    }

    // MARK: Own writes

    /// Notes the trace a message belongs to, for the events that the numbering instance publishes.
    ///
    /// - Parameter parent: the caller's `traceparent`; nil where it has sent none.
    func noteTrace(parent: String?, of message: MessageID) {
        guard let trace = services.observers.tracer?.receive(message, parent: parent) ?? parent else { return }
        services.observers.noteTrace?(trace, message)
        guard services.bus != nil else { return }
        traces.insert(trace, of: message)
    }

    func submit(_ writes: [RoomWrite]) {
        if services.observers.tracer != nil { for write in writes { received[write.roomID] = write.messages } }
        guard isSequenced else { return commit(writes) }
        for write in writes { perform(sequencer.submit(write, at: now)) }
    }

    /// Hands the store what is to be committed now. Called at the end of a turn.
    func flush() {
        commit(sequencer.takeCommits())
        tickSoon()
    }

    private func commit(_ writes: [RoomWrite]) {
        guard !writes.isEmpty else { return }
        services.metrics.commitBatch.observe(writes.reduce(0) { $0 + $1.drafts.count })
        let mailbox = services.mailbox(context.index)
        let storedMessages = writes.contains { !$0.drafts.isEmpty } ? services.observers.storedMessages : nil
        let duration = services.metrics.commitDuration
        let begun = WallClock.monotonicMicroseconds()
        let cache = services.cache
        let tracer = services.observers.tracer
        let traced = tracer.map { _ in writes.map(\.messages) } ?? []
        for messages in traced { tracer?.begin(.commit, of: messages) }
        services.store.commit(writes) { outcomes in
            for (messages, outcome) in zip(traced, outcomes) { tracer?.end(.commit, of: messages, outcome) }
            duration.observe(Int(WallClock.monotonicMicroseconds() - begun))
            storedMessages?()
            guard let cache, outcomes.contains(where: { $0.deletion != nil }) else {
                return mailbox.post(.committed(outcomes))
            }
            Self.erase(outcomes[...], from: cache) { mailbox.post(.committed(outcomes)) }
        }
    }

    /// Takes what deleted messages said out of the cache before their deletions are answered.
    private static func erase(
        _ outcomes: ArraySlice<RoomWriteOutcome>, from cache: any HistoryCache,
        completion: @escaping @Sendable () -> Void
    ) {
        guard let outcome = outcomes.first else { return completion() }
        let rest = outcomes.dropFirst()
        guard let deletion = outcome.deletion else { return erase(rest, from: cache, completion: completion) }
        cache.noteChange(deletion, in: outcome.roomID) { erase(rest, from: cache, completion: completion) }
    }

    func committed(_ outcomes: [RoomWriteOutcome]) {
        for outcome in outcomes {
            if outcome.drafts.contains(where: \.isStoreFailure) { services.noteStoreFailure() }
            if isSequenced { perform(sequencer.committed(outcome, at: now)) } else { finish(outcome) }
        }
    }

    // MARK: Other instances

    func setInstances(_ instances: Set<InstanceID>) { perform(sequencer.setInstances(instances, at: now)) }

    func receivedForward(_ ticket: RoomTicket, _ data: [UInt8]) {
        guard let forward = parse(data, { RoomWriteCodec.forward($0, in: ticket.room) }) else {
            return noteForeign(ticket)
        }
        for (message, trace) in forward.traces {
            services.observers.tracer?.follow(message, traceparent: trace)
            services.observers.noteTrace?(trace, message)
        }
        sequencer.receivedForward(forward.write, ticket: ticket.number, from: ticket.sender, shard: ticket.shard)
    }

    func receivedOutcome(_ ticket: RoomTicket, _ data: [UInt8]) {
        guard let outcome = parse(data, { RoomWriteCodec.outcome($0, in: ticket.room) }) else {
            return noteForeign(ticket)
        }
        perform(sequencer.receivedOutcome(outcome, ticket: ticket.number, from: ticket.sender, at: now))
    }

    func receivedProgress(_ ticket: RoomTicket) {
        sequencer.receivedProgress(of: ticket.room, ticket: ticket.number, from: ticket.sender, at: now)
    }

    private func parse<Value>(_ data: [UInt8], _ read: (JSONElement) -> Value?) -> Value? {
        data.withUnsafeBytes { bytes in (try? parser.parse(bytes)).flatMap(read) }
    }

    private func noteForeign(_ ticket: RoomTicket) {
        services.metrics.foreignNews.add()
        services.busTrouble.warning("forwarded write not understood", ["room": ticket.room.value])
    }

    // MARK: Actions

    private var now: Moment { context.now.monotonic }

    private func perform(_ actions: [RoomSequencer.Action]) {
        for action in actions {
            switch action {
            case .forward(let write, let number, let owner):
                services.metrics.forwards.add()
                let forward = RoomWriteCodec.Forward(write: write, traces: traces(of: write))
                send(.forward(ticket(number, write.roomID), write: RoomWriteCodec.encode(forward)), to: owner)
            case .answer(let outcome, let number, let asker):
                send(.outcome(ticket(number, outcome.roomID), outcome: RoomWriteCodec.encode(outcome)), to: asker)
            case .reportProgress(let room, let number, let asker):
                send(.progress(ticket(number, room)), to: asker)
            case .finish(let outcome): finish(outcome)
            }
        }
    }

    private func finish(_ outcome: RoomWriteOutcome) {
        finished(outcome)
        guard let messages = received.removeValue(forKey: outcome.roomID) else { return }
        services.observers.tracer?.end(.receive, of: messages, outcome)
    }

    /// The ticket with this number in a message of this shard.
    private func ticket(_ number: UInt64, _ room: RoomID) -> RoomTicket {
        RoomTicket(room: room, number: number, sender: services.configuration.instance, shard: context.index)
    }

    private func traces(of write: RoomWrite) -> [MessageID: String] {
        guard !traces.isEmpty else { return [:] }
        var found: [MessageID: String] = [:]
        for draft in write.drafts { found[draft.id] = traces[draft.id] }
        return found
    }

    private func send(_ message: InstanceMessage, to instance: InstanceID) {
        services.presence.directory.send(message.encoded, to: instance)
    }

    private func tickSoon() {
        guard !isTicking, !sequencer.isIdle else { return }
        isTicking = true
        context.loop.schedule(after: Self.tickInterval) { [weak self] in
            guard let self else { return }
            isTicking = false
            perform(sequencer.tick(at: now))
            flush()
        }
    }
}

extension RoomWriteOutcome {
    /// The number of the last deletion in it.
    fileprivate var deletion: SequenceNumber? {
        drafts.lazy.compactMap { draft in
            switch draft {
            case .changed(let change), .repeated(let change): change.kind == .deleted ? change.sequence : nil
            default: nil
            }
        }.max()
    }
}

extension MessageTracer {
    /// Ends a step of the messages of a write, each with its own outcome.
    fileprivate func end(_ step: MessageStep, of messages: [MessageID], _ outcome: RoomWriteOutcome) {
        let failures = outcome.drafts.map(\.failure)
        guard failures.contains(where: { $0 != nil }) else { return end(step, of: messages, failure: nil) }
        // Where the write has changes too, its outcomes are more than its messages.
        guard failures.count == messages.count else { return end(step, of: messages, failure: nil) }
        for (message, failure) in zip(messages, failures) { end(step, of: [message], failure: failure) }
    }
}

extension RoomWrite {
    /// The ids of its messages, in order.
    fileprivate var messages: [MessageID] {
        drafts.compactMap { if case .message(let draft) = $0 { draft.id } else { nil } }
    }
}

extension RoomWriteOutcome.Draft {
    fileprivate var failure: String? { if case .failed(let error) = self { error.reason } else { nil } }
}
