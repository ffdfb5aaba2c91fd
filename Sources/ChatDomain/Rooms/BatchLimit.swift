/// How many drafts one write of a room may hold, so that the store answers it well within the time that senders wait.
///
/// Without a limit a store that is slow at large writes does not recover from a burst: all that waits goes into one write, the
/// write takes longer than its senders wait, and they come again with everything the next write takes. The limit halves after
/// a slow write and doubles after a fast one that was full.
struct BatchLimit: Sendable {
    /// A write costs a store a fixed time too, which smaller writes do not lower.
    static let minimum = 16
    static let maximum = 4096

    private let slow: Duration
    private let fast: Duration
    private(set) var drafts = Self.maximum
    /// The time of the last write, and of the one before.
    private var lastDuration = Duration.zero
    private var earlierDuration = Duration.zero

    /// - Parameter timeout: how long senders wait for the store.
    init(timeout: Duration) {
        slow = timeout / 4
        fast = timeout / 16
    }

    /// The store has answered a write.
    ///
    /// - Parameter count: the drafts it held.
    mutating func didWrite(_ count: Int, in duration: Duration) {
        earlierDuration = lastDuration
        lastDuration = duration
        if duration > slow {
            drafts = max(Self.minimum, min(drafts, count) / 2)
        } else if duration < fast, count >= drafts {
            drafts = min(Self.maximum, drafts * 2)
        }
    }

    /// How long a draft waits for its answer behind so many others, if each write takes as long as the faster one of the last two. A
    /// single slow write, as during a fail-over or when the numbering instance pauses, says nothing about the next.
    func wait(behind count: Int) -> Duration { min(lastDuration, earlierDuration) * (count / drafts + 1) }
}
