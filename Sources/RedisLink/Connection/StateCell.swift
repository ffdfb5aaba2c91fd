internal import Synchronization

/// The state of a connection, which any thread may read, and its observers. Changed on the loop only.
final class StateCell: Sendable {
    typealias Observer = @Sendable (RedisState) -> Void

    private let state = Mutex((current: RedisState.connecting, observers: [Observer]()))

    init(_ observer: @escaping Observer) { state.withLock { $0.observers = [observer] } }

    var value: RedisState { state.withLock { $0.current } }

    /// Calls the observer with the current state, and from then on with every change. Called on the loop.
    func add(_ observer: @escaping Observer) {
        let current = state.withLock { state in
            state.observers.append(observer)
            return state.current
        }
        observer(current)
    }

    func set(_ new: RedisState) {
        let observers = state.withLock { state -> [Observer] in
            guard state.current != new else { return [] }
            state.current = new
            return state.observers
        }
        for observer in observers { observer(new) }
    }
}
