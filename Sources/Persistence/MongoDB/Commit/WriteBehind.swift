import ChatDomain
import Dispatch
import Synchronization

/// Writes what follows from messages behind them, off the way of acknowledgements: of each key only the newest value, at most
/// once an interval, and less often where the server takes long over it.
final class WriteBehind<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    struct Pacing: Sendable {
        /// Between two rounds.
        var interval: Duration
        /// The rest after a command, in lengths of that command: what is only nice to have takes a part of a slow server.
        var restPerWork: Int
        /// Values in one command.
        var slice: Int
        /// Keys that wait at most; what is dropped past that comes with the key's next value.
        var capacity = 65_536
    }

    private struct State {
        var newest: [Key: Value] = [:]
        /// What is left of the round under way.
        var round: ArraySlice<(key: Key, value: Value)> = []
        var isScheduled = false

        /// What to write next, of this round or of a new one; with nothing to write the rounds end.
        mutating func takeSlice(_ size: Int) -> ArraySlice<(key: Key, value: Value)> {
            if round.isEmpty {
                round = newest.map { (key: $0.key, value: $0.value) }[...]
                newest = [:]
            }
            isScheduled = !round.isEmpty
            defer { round = round.dropFirst(size) }
            return round.prefix(size)
        }
    }

    typealias Write = @Sendable (MongoConnection, ArraySlice<(key: Key, value: Value)>) throws(MongoError) -> Void

    private let state = Mutex(State())
    private let workers: MongoWorkers
    private let pacing: Pacing
    private let isNewer: @Sendable (Value, Value) -> Bool
    private let write: Write

    /// - Parameters:
    ///   - isNewer: whether the first value takes the place of the second.
    ///   - write: what fails is not tried again: it comes with the key's next value.
    init(
        workers: MongoWorkers, pacing: Pacing, isNewer: @escaping @Sendable (Value, Value) -> Bool,
        write: @escaping Write
    ) {
        self.workers = workers
        self.pacing = pacing
        self.isNewer = isNewer
        self.write = write
    }

    func note(_ value: Value, of key: Key) {
        let isFirst = state.withLock { state in
            if let known = state.newest[key], !isNewer(value, known) { return false }
            guard state.newest[key] != nil || state.newest.count < pacing.capacity else { return false }
            state.newest[key] = value
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { goOn(after: .zero) }
    }

    /// Writes what is left; for closing.
    func flush(on connection: MongoConnection) {
        while writeSlice(on: connection) {}
    }

    private func goOn(after delay: Duration) {
        workers.post(after: delay) { [self] connection in
            let begun = ContinuousClock.now
            guard writeSlice(on: connection) else { return }
            let rest = (ContinuousClock.now - begun) * pacing.restPerWork
            let isRoundOver = state.withLock { $0.round.isEmpty }
            goOn(after: isRoundOver ? max(pacing.interval, rest) : rest)
        } refused: {
        }
    }

    /// False when nothing was left to write.
    private func writeSlice(on connection: MongoConnection) -> Bool {
        let slice = state.withLock { $0.takeSlice(pacing.slice) }
        if !slice.isEmpty { try? write(connection, slice) }
        return !slice.isEmpty
    }
}
