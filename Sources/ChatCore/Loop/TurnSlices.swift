/// Long work of one loop in slices: so many bytes are made for single sessions in a turn; the rest waits for the turns behind,
/// and everything else has its time in between.
package final class TurnSlices {
    /// Bytes encoded in one turn, one piece more at most: a few milliseconds' work.
    package static let bytesPerTurn = 256 * 1024
    /// Bytes compressed in one turn; past that messages go out as they are.
    package static let compressedPerTurn = 256 * 1024

    private let later: (@escaping () -> Void) -> Void
    private var spent = 0
    private var compressed = 0
    private var waiting: [() -> Void] = []
    private var isScheduled = false

    /// - Parameter later: runs its argument in the next turn, once sockets had theirs.
    package init(later: @escaping (@escaping () -> Void) -> Void) { self.later = later }

    /// Nothing that takes long is begun any more in this turn.
    package var isSpent: Bool { spent >= Self.bytesPerTurn || !waiting.isEmpty }

    /// Counts what was made for one session.
    @inline(__always)
    package func spend(_ bytes: Int) { spent += bytes }

    /// Whether so many bytes may still be compressed in this turn; counts them.
    package func compress(_ bytes: Int) -> Bool {
        guard compressed + bytes <= Self.compressedPerTurn else { return false }
        compressed += bytes
        return true
    }

    /// Does `work` in this turn or one behind it, in the order it was given.
    package func run(_ work: @escaping () -> Void) {
        guard isSpent else { return work() }
        waiting.append(work)
        schedule()
    }

    package func endTurn() {
        spent = 0
        compressed = 0
    }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        later { [weak self] in self?.resume() }
    }

    private func resume() {
        isScheduled = false
        let batch = waiting
        waiting = []
        let done = batch.firstIndex { work in
            guard spent < Self.bytesPerTurn else { return true }
            work()
            return false
        }
        // Work that this began to wait for comes behind.
        waiting = (done.map { Array(batch[$0...]) } ?? []) + waiting
        if !waiting.isEmpty { schedule() }
    }
}
