import EventLoop

/// The connections of one loop with output that may wait a little: it goes out with what else comes for its connection, or after a
/// while by itself. A busy loop leaves it for longer, so that of many announcements to one connection most need no write.
///
/// Confined to its loop.
final class PatientConnections {
    private let loop: EventLoop
    private var waiting = FIFO<Connection>()
    private var patience: Patience?
    /// What waits, beside what the connections have queued.
    var frames = PatientFrames()

    init(loop: EventLoop) { self.loop = loop }

    func append(_ connection: Connection) { waiting.append(connection) }

    /// Begins a wait for all connections, or shortens the one that has begun.
    ///
    /// - Parameter limit: how long output may wait on a loop that stays busy.
    func wait(atMost limit: Duration) {
        let end = loop.deadline(after: limit)
        if patience == nil {
            patience = Patience(until: end, waited: loop.waitedTime)
            look()
        } else {
            patience?.shorten(to: end)
        }
    }

    private func look() {
        loop.schedule(after: Patience.step) { [weak self] in
            guard let self else { return }
            if patience?.isOver(at: loop.monotonicMilliseconds, waited: loop.waitedTime) == false { return look() }
            patience = nil
            while let connection = waiting.popFirst() { connection.endPatience() }
        }
    }
}
