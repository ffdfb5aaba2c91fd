import EventLoop
import Synchronization

/// A shard's letter box. Any thread may post; the shard empties it as a whole.
final class Mailbox: Sendable {
    private let queue = Mutex<[ShardMessage]>([])
    private let loop: EventLoop
    private let open: @Sendable () -> Void

    /// - Parameter open: called on the loop when there is something to take.
    init(loop: EventLoop, open: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.open = open
    }

    func post(_ message: ShardMessage) {
        let wasEmpty = queue.withLock { queue in
            queue.append(message)
            return queue.count == 1
        }
        if wasEmpty { loop.post(open) }
    }

    /// Takes everything out; the empty array given is filled from then on.
    func takeAll(leaving empty: inout [ShardMessage]) { queue.withLock { swap(&$0, &empty) } }
}
