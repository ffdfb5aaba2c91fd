internal import EventLoop
internal import Synchronization

/// Runs work from any thread on a connection's loop, in the order of the calls, until the connection is closed. Work that was accepted
/// runs before the end.
final class LoopHandle<Connection>: Sendable {
    private let shared: SharedLoop
    private let bound: LoopBound<Connection>
    private let isClosed = Mutex(false)

    /// - Parameter build: makes the connection, on the loop.
    init(_ shared: SharedLoop, build: @escaping @Sendable (LoopBound<Connection>, EventLoop) -> Connection) {
        shared.enter()
        self.shared = shared
        let bound = LoopBound<Connection>(shared.loop)
        self.bound = bound
        bound.make { build(bound, $0) }
    }

    /// False when closed; `work` will not run then.
    @discardableResult
    func post(_ work: @escaping @Sendable (Connection) -> Void) -> Bool {
        isClosed.withLock { isClosed in
            if !isClosed { bound.post(work) }
            return !isClosed
        }
    }

    /// Returns once `end` has run; at once when it was closed before.
    func close(_ end: @escaping @Sendable (Connection) -> Void) async {
        let isFirst = await withCheckedContinuation { continuation in
            let wasClosed = isClosed.withLock { isClosed in
                if !isClosed {
                    bound.finish {
                        end($0)
                        continuation.resume(returning: true)
                    }
                }
                defer { isClosed = true }
                return isClosed
            }
            if wasClosed { continuation.resume(returning: false) }
        }
        if isFirst { shared.leave() }
    }
}

/// Confines a value to a loop's thread. Other threads reach it only by posting to the loop.
actor LoopBound<Value> {
    private nonisolated let loop: EventLoop
    private var value: Value?

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes the value, on the loop, before anything posted later.
    nonisolated func make(_ build: @escaping @Sendable (EventLoop) -> Value) {
        loop.postInOrder { self.assumeIsolated { $0.value = build($0.loop) } }
    }

    /// Runs `work` on the loop, in the order of the calls.
    nonisolated func post(_ work: @escaping @Sendable (Value) -> Void) {
        loop.postInOrder {
            self.assumeIsolated { bound in
                if let value = bound.value { work(value) }
            }
        }
    }

    /// Runs `work` on the loop and releases the value. Work that is posted later does not run.
    nonisolated func finish(_ work: @escaping @Sendable (Value) -> Void) {
        loop.postInOrder {
            self.assumeIsolated { bound in
                if let value = bound.value { work(value) }
                bound.value = nil
            }
        }
    }
}
