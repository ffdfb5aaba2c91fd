import ChatDomain
import Dispatch
import Synchronization

/// Writes values that follow from messages after the messages are acknowledged. Of each key only the newest value is written,
/// at most once per interval, and less often if the server is slow.
final class WriteBehind<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    struct Pacing: Sendable {
        /// The least time between two rounds.
        var interval: Duration
        /// The pause after a command, in lengths of that command, so that these values take only a part of a slow server.
        var pausePerWork: Int
        /// The most values in one command.
        var slice: Int
        /// The most keys that wait. A value past that is dropped; the key's next value replaces it.
        var capacity = 65_536
        /// The least time until values are written again whose write failed.
        var retry: Duration = .seconds(1)
    }

    private enum Step {
        /// No value waits.
        case nothing
        /// Also where the server refused them.
        case written
        /// The values of this step wait again.
        case failed
    }

    private struct State {
        var newest: [Key: Value] = [:]
        /// The values of the current round that are not written yet.
        var round: ArraySlice<(key: Key, value: Value)> = []
        var isScheduled = false
        /// Commands under way, whose values wait again if they fail.
        var writing = 0

        var isEmpty: Bool { newest.isEmpty && round.isEmpty && writing == 0 }

        /// Removes the next values from the current round, or from a new one. The rounds end when nothing is left.
        mutating func takeSlice(_ size: Int) -> ArraySlice<(key: Key, value: Value)> {
            if round.isEmpty {
                round = newest.map { (key: $0.key, value: $0.value) }[...]
                newest = [:]
            }
            isScheduled = !round.isEmpty
            defer { round = round.dropFirst(size) }
            return round.prefix(size)
        }

        /// Has values wait again, except those with a newer one.
        mutating func restore(
            _ slice: ArraySlice<(key: Key, value: Value)>, upTo capacity: Int, isNewer: (Value, Value) -> Bool
        ) {
            for (key, value) in slice {
                if let known = newest[key], !isNewer(value, known) { continue }
                if newest[key] != nil || newest.count < capacity { newest[key] = value }
            }
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
    ///   - write: may write a value again after a failure whose outcome is unknown. A value that the server refuses is dropped; the
    ///     key's next value replaces it.
    init(
        workers: MongoWorkers, pacing: Pacing, isNewer: @escaping @Sendable (Value, Value) -> Bool,
        write: @escaping Write
    ) {
        self.workers = workers
        self.pacing = pacing
        self.isNewer = isNewer
        self.write = write
    }

    /// Writes the value later, unless a newer one of the same key waits.
    func add(_ value: Value, of key: Key) {
        let isFirst = state.withLock { state in
            if let known = state.newest[key], !isNewer(value, known) { return false }
            guard state.newest[key] != nil || state.newest.count < pacing.capacity else { return false }
            state.newest[key] = value
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { schedule(after: .zero) }
    }

    /// Whether all values are written.
    var isEmpty: Bool { state.withLock { $0.isEmpty } }

    /// Writes all values that wait, until a write fails.
    func flush(on connection: MongoConnection) {
        while case .written = writeSlice(on: connection) {}
    }

    private func schedule(after delay: Duration) {
        workers.post(after: delay) { [self] connection in
            let start = ContinuousClock.now
            let step = writeSlice(on: connection)
            let pause = (ContinuousClock.now - start) * pacing.pausePerWork
            switch step {
            case .nothing: return
            case .failed: schedule(after: max(pacing.retry, pause))
            case .written:
                let isRoundOver = state.withLock { $0.round.isEmpty }
                schedule(after: isRoundOver ? max(pacing.interval, pause) : pause)
            }
        } refused: {
        }
    }

    private func writeSlice(on connection: MongoConnection) -> Step {
        let slice = state.withLock { state in
            state.writing += 1
            return state.takeSlice(pacing.slice)
        }
        var isWritten = true
        do {
            if !slice.isEmpty { try write(connection, slice) }
        } catch {
            isWritten = error.isAnswer
        }
        state.withLock { state in
            state.writing -= 1
            if !isWritten { state.restore(slice, upTo: pacing.capacity, isNewer: isNewer) }
        }
        if slice.isEmpty { return .nothing }
        return isWritten ? .written : .failed
    }
}
