import ChatDomain
import Synchronization

/// A broker whose answers the test decides.
final class ScriptedBroker: EventBroker {
    private struct State {
        var report: (@Sendable (BrokerReport) -> Void)?
        var received: [BrokerEvent] = []
        var unanswered: [BrokerEvent] = []
    }

    private let state = Mutex(State())
    private let outcome: @Sendable (BrokerEvent) -> BrokerOutcome?

    /// - Parameter outcome: the answer to an event; nil leaves it unanswered.
    init(_ outcome: @escaping @Sendable (BrokerEvent) -> BrokerOutcome? = { _ in .confirmed }) {
        self.outcome = outcome
    }

    var received: [BrokerEvent] { state.withLock { $0.received } }
    var messageIDs: [String] { received.map(\.messageID) }

    func start(_ report: @escaping @Sendable (BrokerReport) -> Void) {
        state.withLock { $0.report = report }
        report(.connected)
    }

    func publish(_ events: [BrokerEvent]) {
        let report = state.withLock { state in
            state.received += events
            return state.report
        }
        let answers = events.compactMap { event in outcome(event).map { (event.tag, $0) } }
        if !answers.isEmpty { report?(.answered(answers)) }
    }

    func breakConnection() {
        let report = state.withLock { $0.report }
        report?(.disconnected(.disconnected(reason: "scripted")))
    }

    func connectAgain() { state.withLock { $0.report }?(.connected) }

    func stop() async {}
}

/// An outbox in memory whose reads and clearings can fail.
final class MemoryOutbox: Outbox {
    private struct State {
        var pending: [(owner: InstanceID, message: Message)] = []
        var isDown = false
        var losesClears = false
        var failedReads = 0
    }

    private let state = Mutex(State())

    func store(_ messages: [Message], owner: InstanceID) {
        state.withLock { $0.pending += messages.map { (owner, $0) } }
    }

    func fail(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    /// Ignores clearings, as if the process had ended before them.
    func loseClears(_ loses: Bool) { state.withLock { $0.losesClears = loses } }

    var count: Int { state.withLock { $0.pending.count } }

    /// How often `pendingEvents` failed.
    var failedReads: Int { state.withLock { $0.failedReads } }

    private func whileUp<Value>(_ body: (inout State) -> Value) throws(StoreError) -> Value {
        let value = state.withLock { $0.isDown ? nil : body(&$0) }
        guard let value else { throw .unavailable(reason: "scripted") }
        return value
    }

    func pendingEvents(
        of owner: InstanceID, to destination: EventDestination, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [RoomLogEntry] {
        state.withLock { if $0.isDown { $0.failedReads += 1 } }
        return try whileUp { state in
            Array(
                state.pending.filter { $0.owner == owner && !except.contains($0.message.id) }
                    .map { .message($0.message) }.prefix(limit))
        }
    }

    func clearEvents(_ ids: [MessageID], to destination: EventDestination) async throws(StoreError) {
        let ids = Set(ids)
        try whileUp { state in
            if !state.losesClears { state.pending.removeAll { ids.contains($0.message.id) } }
        }
    }

    func adoptEvents(
        of dead: InstanceID, to destination: EventDestination, by owner: InstanceID
    ) async throws(StoreError) -> Int {
        try whileUp { state in
            var count = 0
            for index in state.pending.indices where state.pending[index].owner == dead {
                state.pending[index].owner = owner
                count += 1
            }
            return count
        }
    }

    func eventOwners(to destination: EventDestination) async throws(StoreError) -> [InstanceID] {
        try whileUp { state in Array(Set(state.pending.map(\.owner))) }
    }

    func backlog(to destination: EventDestination) async throws(StoreError) -> (count: Int, oldest: Timestamp?) {
        try whileUp { state in (state.pending.count, state.pending.first?.message.timestamp) }
    }
}
