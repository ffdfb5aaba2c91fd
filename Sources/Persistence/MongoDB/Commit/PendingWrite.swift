import ChatDomain
import Synchronization

/// A room's write, and the call that waits for its outcome.
struct PendingWrite: Sendable {
    let write: RoomWrite
    let index: Int
    let call: CommitCall

    func finish(_ outcome: RoomWriteOutcome) { call.finish(index, outcome) }

    func fail(_ error: StoreError) { finish(.failure(of: write, error)) }
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
