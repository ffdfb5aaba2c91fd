import ChatDomain
import Synchronization
import Workers

/// Stores the messages that rooms gathered. Writes that come during an insert are stored together by the next one.
///
/// Rooms with one message share an unordered insert. A room with several messages has an ordered insert of its own, which
/// stops at the first conflict, so that the order of a sender's messages is kept. A room that loses a race continues alone.
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
        let pending = writes.enumerated().map { PendingWrite(write: $1, index: $0, call: call) }
        state.withLock { $0.waiting += pending }
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
            if !writes.isEmpty { inserter.store(writes, on: connection) }
            state.withLock { $0.rounds -= 1 }
            startRound()
        }
        guard !isTaken else { return }
        state.withLock { $0.rounds -= 1 }
        for write in takeWaiting() { write.fail(.refused) }
    }

    private func takeWaiting() -> [PendingWrite] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}
