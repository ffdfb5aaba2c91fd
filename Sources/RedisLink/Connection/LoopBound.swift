internal import EventLoop

/// Confines a value to a loop's thread: from anywhere else it is reached only by posting to the loop.
actor LoopBound<Value> {
    private nonisolated let loop: EventLoop
    private var value: Value?

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes the value, on the loop, before anything posted later.
    nonisolated func make(_ build: @escaping @Sendable (EventLoop) -> Value) {
        loop.post { self.assumeIsolated { $0.value = build($0.loop) } }
    }

    /// Runs `work` on the loop, in order per caller.
    nonisolated func post(_ work: @escaping @Sendable (Value) -> Void) {
        loop.post {
            self.assumeIsolated { bound in
                if let value = bound.value { work(value) }
            }
        }
    }

    /// Runs `work` on the loop and lets go of the value; what is posted later does nothing.
    nonisolated func finish(_ work: @escaping @Sendable (Value) -> Void) {
        loop.post {
            self.assumeIsolated { bound in
                if let value = bound.value { work(value) }
                bound.value = nil
            }
        }
    }
}
