import EventLoop

/// The connections of one loop with output that may wait a little: it goes out with what else comes for its connection, or after a
/// while by itself. A busy loop leaves it for longer, so that of many announcements to one connection most need no write.
///
/// Confined to its loop.
final class PatientConnections {
    private let loop: EventLoop
    private var waiting = FIFO<Connection>()
    private var patience = Patience()

    init(loop: EventLoop) { self.loop = loop }

    func append(_ connection: Connection) {
        if waiting.isEmpty {
            patience = Patience(at: loop.monotonicMilliseconds, waited: loop.waitedTime)
            look()
        }
        waiting.append(connection)
    }

    private func look() {
        loop.schedule(after: Patience.step) { [weak self] in
            guard let self else { return }
            guard patience.isOver(at: loop.monotonicMilliseconds, waited: loop.waitedTime) else { return look() }
            while let connection = waiting.popFirst() { connection.endPatience() }
        }
    }
}
