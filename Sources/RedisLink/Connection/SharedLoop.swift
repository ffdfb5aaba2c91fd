internal import EventLoop
internal import Synchronization

/// A loop and the connections that live on it; one of our own ends with the last of them.
final class SharedLoop: Sendable {
    let loop: EventLoop
    private let isOurs: Bool
    private let users = Mutex(0)

    /// - Parameter loop: nil for a thread of its own.
    init(_ loop: EventLoop?, name: String) {
        isOurs = loop == nil
        self.loop = loop ?? EventLoop(name: name)
        if isOurs { self.loop.start() }
    }

    func enter() { users.withLock { $0 += 1 } }

    func leave() {
        let isLast = users.withLock { users in
            users -= 1
            return users == 0
        }
        if isLast, isOurs { loop.stop() }
    }
}
