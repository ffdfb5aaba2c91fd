import ChatDomain

/// A room's one timer. It is only ever moved to an earlier time: one that fires too early finds nothing due and is set again.
final class RoomTimer {
    private let loop: any LoopContext
    private let action: () -> Void
    private var pending: (id: LoopTimer, deadline: Moment)?

    init(loop: any LoopContext, _ action: @escaping () -> Void) {
        self.loop = loop
        self.action = action
    }

    func set(for deadline: Moment) {
        if let pending {
            guard deadline < pending.deadline else { return }
            loop.cancel(pending.id)
        }
        let id = loop.schedule(after: deadline - loop.now.monotonic) { [weak self] in
            guard let self else { return }
            pending = nil
            action()
        }
        pending = (id, deadline)
    }

    func cancel() {
        if let pending { loop.cancel(pending.id) }
        pending = nil
    }
}
