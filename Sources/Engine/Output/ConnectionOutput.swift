import EventLoop

/// Everything that waits to be written to one socket, and how much may wait. Does no I/O itself.
///
/// Only bytes that the kernel refused count as a peer's slowness: so a queue is judged after a write was tried.
struct ConnectionOutput {
    enum Admission {
        case admitted
        /// The chunk is droppable, and the peer is behind.
        case dropped
        /// The peer is too far behind to be served any longer.
        case refused
    }

    private var queue = OutputQueue()
    private var allowance = QueueAllowance()
    /// Queued bytes from which on a chunk has to be admitted.
    var mark = Int.max
    /// The action that waits for the queue to be short again.
    var drainWaiter: DrainWaiter?
    /// The kernel takes nothing until the socket becomes writable.
    private(set) var isBlocked = false

    /// Bytes not taken by the kernel yet.
    var count: Int { queue.count }
    var isEmpty: Bool { queue.isEmpty }

    // MARK: Queueing

    /// Whether a chunk may be queued without being judged.
    @inline(__always)
    func isShort(with bytes: Int) -> Bool { queue.count + bytes <= mark }

    @inline(__always)
    mutating func append(_ chunk: [UInt8]) { queue.append(chunk) }

    /// Judges a chunk for a peer that takes nothing at the moment.
    ///
    /// - Parameter limit: bytes that may wait besides a long answer; nil when the mark is the limit.
    mutating func admit(_ bytes: Int, isDroppable: Bool, limit: Int?) -> Admission {
        guard !isShort(with: bytes) else { return .admitted }
        if isDroppable { return .dropped }
        guard let limit else { return .refused }
        return allowance.admits(bytes, behind: queue.count, mark: mark, limit: limit) ? .admitted : .refused
    }

    // MARK: Writing

    mutating func didBecomeWritable() { isBlocked = false }

    /// Offers queued bytes to `transmit` until it takes no more; false when the connection broke over it.
    mutating func write(
        scratch: UnsafeMutableRawBufferPointer, _ transmit: (UnsafeRawBufferPointer) -> IOResult
    ) -> Bool {
        while !queue.isEmpty, !isBlocked {
            let result = queue.write(scratch: scratch) { bytes in
                let result = transmit(bytes)
                if case .bytes(let count) = result {
                    // A short write means the kernel is full: another try would only be refused.
                    return (count, count < bytes.count ? .wouldBlock : result)
                }
                return (0, result)
            }
            switch result {
            case .bytes: continue
            case .wouldBlock: isBlocked = true
            default: return false
            }
        }
        return true
    }

    /// Forgets everything but the rest of a chunk already begun.
    mutating func dropUnbegun() { queue.dropUnbegun() }

    mutating func clear() {
        queue.clear()
        drainWaiter = nil
    }

    // MARK: Draining

    var hasDrainWaiter: Bool { drainWaiter != nil }

    /// The action that waited for a queue as short as this one has become.
    mutating func takeDrainAction() -> (() -> Void)? {
        guard let waiter = drainWaiter, queue.count <= waiter.bytes else { return nil }
        drainWaiter = nil
        return waiter.action
    }
}

/// An action to be run when a queue has become short. An object, because few connections have one.
final class DrainWaiter {
    let bytes: Int
    let action: () -> Void

    init(bytes: Int, action: @escaping () -> Void) {
        self.bytes = bytes
        self.action = action
    }
}
