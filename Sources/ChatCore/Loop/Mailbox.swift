import Synchronization

/// Messages from any thread to one shard, which takes them all at once: one wake-up however many.
package final class Mailbox<Message: Sendable>: Sendable {
    private let queue = Mutex<[Message]>([])
    private let wake: @Sendable () -> Void

    /// - Parameter wake: called by the thread that posts into an empty mailbox; has the shard take what is there soon.
    package init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    package func post(_ message: Message) {
        let wasEmpty = queue.withLock { queue in
            queue.append(message)
            return queue.count == 1
        }
        if wasEmpty { wake() }
    }

    /// Posts messages in their order, and leaves their memory to the caller.
    package func post(taking messages: inout [Message]) {
        guard !messages.isEmpty else { return }
        let wasEmpty = queue.withLock { queue in
            defer { queue.append(contentsOf: messages) }
            return queue.isEmpty
        }
        messages.removeAll(keepingCapacity: messages.count <= 1024)
        if wasEmpty { wake() }
    }

    /// Takes everything out; the empty array given is filled from then on.
    package func takeAll(leaving empty: inout [Message]) { queue.withLock { swap(&$0, &empty) } }
}
