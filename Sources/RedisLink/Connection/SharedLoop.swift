internal import EventLoop
internal import Synchronization

/// A loop and the connections on it. A loop that was made here stops with the last connection.
final class SharedLoop: Sendable {
    let loop: EventLoop
    /// Whether the loop was made here.
    let isOwned: Bool
    private let users = Mutex(0)

    /// - Parameter loop: nil to make a loop with a thread of its own.
    init(_ loop: EventLoop?, name: String) {
        isOwned = loop == nil
        self.loop = loop ?? EventLoop(name: name)
        if isOwned { self.loop.start() }
    }

    func enter() { users.withLock { $0 += 1 } }

    func leave() {
        let isLast = users.withLock { users in
            users -= 1
            return users == 0
        }
        if isLast, isOwned { loop.stop() }
    }
}
