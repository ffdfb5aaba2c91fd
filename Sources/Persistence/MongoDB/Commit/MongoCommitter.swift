import ChatDomain
import Synchronization
import Workers

/// Stores what rooms gathered: what comes while inserts are under way goes together in the next.
///
/// Rooms with one message share an unordered insert. A room with several has an ordered insert of its own, which stops
/// at the first conflict, so that a sender's order never turns. A room that loses a race goes on alone.
final class MongoCommitter: Sendable {
    /// Shared inserts under way at once: while one waits for the majority, the next can go.
    private static let maximumShared = 2

    private struct State {
        var waiting: [PendingWrite] = []
        var underWay = 0
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
        start()
    }

    /// Starts another shared round when there is work and room for it.
    private func start() {
        let isDue = state.withLock { state in
            guard !state.waiting.isEmpty, state.underWay < Self.maximumShared else { return false }
            state.underWay += 1
            return true
        }
        guard isDue else { return }
        let isTaken = workers.queue.post { [self] connection in
            let writes = takeWaiting()
            if !writes.isEmpty { inserter.store(writes, on: connection) }
            state.withLock { $0.underWay -= 1 }
            start()
        }
        guard !isTaken else { return }
        state.withLock { $0.underWay -= 1 }
        for write in takeWaiting() { write.fail(.refused) }
    }

    private func takeWaiting() -> [PendingWrite] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}
