internal import EventLoop
internal import Synchronization

/// The way from any thread to a connection on its loop, until it is closed. Nothing that got through is lost: `close`
/// comes after it.
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
