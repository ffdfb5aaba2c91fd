import Synchronization

/// Waits for work no longer than a limit.
public enum BoundedWait {
    private final class Waiter: Sendable {
        private let continuation: Mutex<CheckedContinuation<Bool, Never>?>

        init(_ continuation: CheckedContinuation<Bool, Never>) { self.continuation = Mutex(continuation) }

        func end(inTime: Bool) {
            continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }?.resume(returning: inTime)
        }
    }

    /// Runs `work` and waits for its end, but no longer than `limit`. Work that hangs is not cancelled.
    ///
    /// - Returns: whether the work ended in time.
    public static func wait(upTo limit: Duration, for work: @escaping @Sendable () async -> Void) async -> Bool {
        await withCheckedContinuation { continuation in
            let waiter = Waiter(continuation)
            let timer = Task {
                try? await Task.sleep(for: limit)
                waiter.end(inTime: false)
            }
            Task {
                await work()
                waiter.end(inTime: true)
                timer.cancel()
            }
        }
    }
}
