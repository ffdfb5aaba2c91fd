import ChatDomain
import Synchronization
import Workers

/// Stores the messages that rooms gathered. Writes that come during an insert are stored together by the next one.
///
/// Rooms with one message share an unordered insert. A room with several messages has an ordered insert of its own, which
/// stops at the first conflict, so that the order of a sender's messages is kept. A room that loses a race continues alone.
/// Writes that had no effect, because no primary was found, wait for one until their deadline and share an insert then.
final class MongoCommitter: Sendable {
    /// The most shared inserts at once: while one waits for the majority, the next one can start.
    private static let maximumRounds = 2

    private struct State {
        var waiting: [PendingWrite] = []
        var rounds = 0
    }

    private let state = Mutex(State())
    private let workers: MongoWorkers
    private let inserter: RoomInserter

    init(
        workers: MongoWorkers, options: StoreOptions, lastMessages: WriteBehind<RoomID, Message>,
        authorsMarks: WriteBehind<MongoConnection.MarkPlace, SequenceNumber>
    ) {
        self.workers = workers
        inserter = RoomInserter(
            workers: workers, options: options, lastMessages: lastMessages, authorsMarks: authorsMarks)
    }

    func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        guard !writes.isEmpty else { return completion([]) }
        let call = CommitCall(count: writes.count, completion: completion)
        let deadline = ContinuousClock.now + workers.retryTimeout
        add(writes.enumerated().map { PendingWrite($1, index: $0, call: call, deadline: deadline) })
    }

    private func add(_ writes: [PendingWrite]) {
        state.withLock { $0.waiting += writes }
        startRound()
    }

    /// Starts another round if writes wait and the limit allows it.
    private func startRound() {
        let isDue = state.withLock { state in
            guard !state.waiting.isEmpty, state.rounds < Self.maximumRounds else { return false }
            state.rounds += 1
            return true
        }
        guard isDue else { return }
        let isTaken = workers.post { [self] connection in
            let writes = takeWaiting()
            let open = writes.isEmpty ? [] : inserter.store(writes, on: connection)
            state.withLock { $0.rounds -= 1 }
            if !open.isEmpty { addLater(open) }
            startRound()
        }
        guard !isTaken else { return }
        state.withLock { $0.rounds -= 1 }
        for write in takeWaiting() { write.fail(.refused) }
    }

    /// Adds writes again when a primary is found, and at the latest when the first of them has to be refused.
    private func addLater(_ writes: [PendingWrite]) {
        var writes = writes
        var delay = Duration.zero
        for index in writes.indices { delay = max(delay, writes[index].takeDelay()) }
        let limit = writes.map(\.remaining).min() ?? .zero
        workers.afterOutage(limit: limit, delay: delay) { [self, writes] in add(writes) }
    }

    private func takeWaiting() -> [PendingWrite] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}
