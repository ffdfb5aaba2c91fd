import ChatDomain
import Synchronization

/// A room's write, and the call that waits for its outcome.
struct PendingWrite: Sendable {
    let write: RoomWrite
    let index: Int
    let call: CommitCall
    /// Until when steps that had no effect are taken again.
    let deadline: ContinuousClock.Instant
    /// Nil until participants and read marks are stored.
    var members: RecordedMembers?
    /// Whether an attempt may have moved read marks without an answer.
    var marksMayHaveMoved = false
    private var nextDelay = Duration.milliseconds(100)

    init(_ write: RoomWrite, index: Int, call: CommitCall, deadline: ContinuousClock.Instant) {
        self.write = write
        self.index = index
        self.call = call
        self.deadline = deadline
    }

    /// The time that remains until the deadline; negative afterwards.
    var remaining: Duration { deadline - .now }

    /// The delay before the next attempt. It grows, up to half a second while the senders wait and two seconds afterwards.
    mutating func takeDelay() -> Duration {
        defer { nextDelay = min(nextDelay * 2, remaining > .zero ? .milliseconds(500) : .seconds(2)) }
        return nextDelay
    }

    func finish(_ outcome: RoomWriteOutcome) { call.finish(index, outcome) }

    func fail(_ error: StoreError) { finish(.failure(of: write, error)) }
}

extension [PendingWrite] {
    /// Ends the writes past their deadline with an error.
    ///
    /// - Returns: the others.
    func endExpired(with error: MongoError) -> Self {
        filter { write in
            let isExpired = write.remaining <= .zero
            if isExpired { write.fail(error.asStoreError) }
            return !isExpired
        }
    }
}

/// What became of a write's participants and read marks.
struct RecordedMembers: Sendable {
    /// One for each mark.
    var readMarks: [Result<Bool, StoreError>]
    var participantsFailure: StoreError?
    var unrecordedParticipants: Set<UserID> = []
}

/// One call of `commit`. It completes when the outcomes of all its writes are known.
final class CommitCall: Sendable {
    private struct State {
        var outcomes: [RoomWriteOutcome?]
        var open: Int
    }

    private let state: Mutex<State>
    private let completion: @Sendable ([RoomWriteOutcome]) -> Void

    init(count: Int, completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        state = Mutex(State(outcomes: Array(repeating: nil, count: count), open: count))
        self.completion = completion
    }

    func finish(_ index: Int, _ outcome: RoomWriteOutcome) {
        let all = state.withLock { state -> [RoomWriteOutcome]? in
            guard state.outcomes[index] == nil else { return nil }
            state.outcomes[index] = outcome
            state.open -= 1
            return state.open == 0 ? state.outcomes.compactMap(\.self) : nil
        }
        if let all { completion(all) }
    }
}
