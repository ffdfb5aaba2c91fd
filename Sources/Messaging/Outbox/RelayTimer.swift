import ChatDomain

/// One timer at a time, for the earliest moment asked for.
struct RelayTimer {
    private let fire: @Sendable () -> Void
    private var armed: (due: Moment, task: Task<Void, Never>)?

    /// - Parameter fire: called on a thread of the runtime's when the time has come.
    init(_ fire: @escaping @Sendable () -> Void) { self.fire = fire }

    /// Replaces the timer; nil leaves none.
    mutating func arm(_ due: Moment?, at now: Moment) {
        if let armed, let due, armed.due == due, due > now { return }
        cancel()
        guard let due else { return }
        let wait: Duration = max(.milliseconds(1), due - now)
        let task = Task { [fire] in
            guard (try? await Task.sleep(for: wait)) != nil else { return }
            fire()
        }
        armed = (due, task)
    }

    mutating func cancel() {
        armed?.task.cancel()
        armed = nil
    }
}
