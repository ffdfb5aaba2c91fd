internal import Synchronization

/// The state others may look at from any thread, and who is told of its changes. Changed on the loop only.
final class StateCell: Sendable {
    typealias Observer = @Sendable (RedisState) -> Void

    private let state = Mutex((current: RedisState.connecting, observers: [Observer]()))

    init(_ observer: @escaping Observer) { state.withLock { $0.observers = [observer] } }

    var value: RedisState { state.withLock { $0.current } }

    /// Tells the observer the state as it is, and from then on every change. Called on the loop.
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
