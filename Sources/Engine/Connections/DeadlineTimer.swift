import EventLoop

/// One timer for a deadline that moves often. A deadline that moves away is looked at when the earlier one comes, so that most
/// moves cost nothing.
struct DeadlineTimer {
    private var id = TimerID(0)
    /// When the loop's timer fires, in monotonic milliseconds; `Int64.max` where none is set.
    private var scheduled = Int64.max

    /// Runs `action` at the deadline or before it; the action has to move the timer again.
    ///
    /// - Parameter deadline: in monotonic milliseconds; `Int64.max` for none.
    mutating func move(to deadline: Int64, on loop: EventLoop, _ action: @escaping () -> Void) {
        guard deadline < scheduled else { return }
        cancel(on: loop)
        id = loop.schedule(after: .milliseconds(deadline - loop.monotonicMilliseconds), action)
        scheduled = deadline
    }

    mutating func didFire() { scheduled = .max }

    mutating func cancel(on loop: EventLoop) {
        if scheduled < .max { loop.cancel(id) }
        scheduled = .max
    }
}
