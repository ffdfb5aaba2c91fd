import Synchronization

/// Messages from any thread to one shard, which takes them all at once: one wake-up however many.
package final class Mailbox<Message: Sendable>: Sendable {
    private let queue = Mutex<[Message]>([])
    private let wake: @Sendable () -> Void
    private let takeAtOnce: @Sendable (Message) -> Bool

    /// - Parameters:
    ///   - wake: called by the thread that posts into an empty mailbox; has the shard take what is there soon.
    ///   - takeAtOnce: has the shard take a message now; false where that is not possible: on other threads, and while other
    ///     messages wait.
    package init(
        wake: @escaping @Sendable () -> Void, takeAtOnce: @escaping @Sendable (Message) -> Bool = { _ in false }
    ) {
        self.wake = wake
        self.takeAtOnce = takeAtOnce
    }

    package var isEmpty: Bool { queue.withLock { $0.isEmpty } }

    /// Hands a message over before it returns, where that overtakes no other message; else posts it.
    package func deliver(_ message: Message) {
        if !takeAtOnce(message) { post(message) }
    }

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
