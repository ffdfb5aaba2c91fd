import EventLoop

/// One timer for a deadline that moves often. A deadline that moves away is looked at when the earlier one comes, so that most
/// moves cost nothing.
struct DeadlineTimer {
    private var scheduled: (id: TimerID, deadline: Int64)?

    /// Runs `action` at the deadline or before it; the action has to move the timer again.
    ///
    /// - Parameter deadline: in monotonic milliseconds; `Int64.max` for none.
    mutating func move(to deadline: Int64, on loop: EventLoop, _ action: @escaping () -> Void) {
        if let scheduled, scheduled.deadline <= deadline { return }
        cancel(on: loop)
        guard deadline != .max else { return }
        let id = loop.schedule(after: .milliseconds(deadline - loop.monotonicMilliseconds), action)
        scheduled = (id, deadline)
    }

    mutating func didFire() { scheduled = nil }

    mutating func cancel(on loop: EventLoop) {
        if let scheduled { loop.cancel(scheduled.id) }
        scheduled = nil
    }
}
