import ChatDomain

/// A room's one timer. It is only ever moved to an earlier time: one that fires too early finds nothing due and is set again.
///
/// A value, so that the room has the time at hand: a message looks at it twice, and leaves the timer as it is.
struct RoomTimer {
    private let alarm: Alarm
    private var deadline: Moment?

    init(loop: any LoopContext) { alarm = Alarm(loop: loop) }

    /// - Parameter action: calls `didFire` first.
    func onFire(_ action: @escaping () -> Void) { alarm.action = action }

    mutating func set(for deadline: Moment) {
        if let earlier = self.deadline, earlier <= deadline { return }
        self.deadline = deadline
        alarm.set(for: deadline)
    }

    mutating func didFire() { deadline = nil }

    mutating func cancel() {
        deadline = nil
        alarm.cancel()
    }

    private final class Alarm {
        private let loop: any LoopContext
        var action: () -> Void = {}
        private var pending: LoopTimer?

        init(loop: any LoopContext) { self.loop = loop }

        func set(for deadline: Moment) {
            cancel()
            pending = loop.schedule(after: deadline - loop.now.monotonic) { [weak self] in
                guard let self else { return }
                pending = nil
                action()
            }
        }

        func cancel() {
            if let pending { loop.cancel(pending) }
            pending = nil
        }
    }
}
