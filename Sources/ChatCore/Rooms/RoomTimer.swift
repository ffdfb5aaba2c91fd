import ChatDomain

/// A room's one timer. It is only ever moved to an earlier time: one that fires too early finds nothing due and is set again.
final class RoomTimer {
    private let loop: any LoopContext
    private var pending: (id: LoopTimer, deadline: Moment)?

    init(loop: any LoopContext) { self.loop = loop }

    func set(for deadline: Moment, _ action: @escaping () -> Void) {
        if let pending {
            guard deadline < pending.deadline else { return }
            loop.cancel(pending.id)
        }
        let id = loop.schedule(after: deadline - loop.now.monotonic) { [weak self] in
            self?.pending = nil
            action()
        }
        pending = (id, deadline)
    }

    func cancel() {
        if let pending { loop.cancel(pending.id) }
        pending = nil
    }
}
