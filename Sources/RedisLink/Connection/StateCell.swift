internal import Synchronization

/// A state that any thread may read, and its observers. Changed on one loop only.
final class StateCell<State: Equatable & Sendable>: Sendable {
    typealias Observer = @Sendable (State) -> Void

    private let state: Mutex<(current: State, observers: [Observer])>

    init(_ initial: State, _ observer: Observer? = nil) {
        state = Mutex((initial, observer.map { [$0] } ?? []))
    }

    var value: State { state.withLock { $0.current } }

    /// Calls the observer with the current state, and from then on with every change. An observer that is added on another thread
    /// than that of the changes may meet the two in either order.
    func add(_ observer: @escaping Observer) {
        let current = state.withLock { state in
            state.observers.append(observer)
            return state.current
        }
        observer(current)
    }

    func set(_ new: State) {
        let observers = state.withLock { state -> [Observer] in
            guard state.current != new else { return [] }
            state.current = new
            return state.observers
        }
        for observer in observers { observer(new) }
    }
}
