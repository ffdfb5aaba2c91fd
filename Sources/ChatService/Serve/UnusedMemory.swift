import CAllocator
import Telemetry

/// Gives memory back to the system that the allocator keeps free.
///
/// glibc keeps most of what a burst of connections needed for a moment: as much as a third of what they need for good.
enum UnusedMemory {
    /// Between two looks at whether it is time.
    private static let interval: Duration = .seconds(2)

    /// Releases unused memory again and again, until the task is cancelled.
    static func releaseRegularly() async {
        var schedule = ReleaseSchedule(at: .now, processorSeconds: ProcessMetrics.processorSeconds())
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            guard schedule.isDue(at: .now, processorSeconds: ProcessMetrics.processorSeconds()) else { continue }
            schedule.noteRelease(at: .now, took: ContinuousClock().measure(release))
        }
    }

    /// Takes a millisecond for each ten mebibytes that it releases, or ten thousand pieces that it cannot release. Threads that
    /// allocate meanwhile wait for it.
    static func release() { callocator_release_unused() }
}

/// When unused memory is released: once the process has done something since, while it has little to do, and now and then in any case.
struct ReleaseSchedule {
    /// The processor time within which a process frees little, in seconds.
    static let leastProcessorSeconds = 0.25
    /// The share of a core below which the process has little to do.
    static let quietShare = 0.2
    /// The longest time between two releases of a process that works.
    static let longestPause: Duration = .seconds(60)
    /// So many times longer than a release the process goes without one.
    static let shortestPauseRatio = 500

    private var released: ContinuousClock.Instant
    private var processorSecondsThen: Double
    private var shortestPause: Duration = .zero
    private var looked: ContinuousClock.Instant
    private var processorSeconds: Double

    init(at now: ContinuousClock.Instant, processorSeconds: Double) {
        released = now
        processorSecondsThen = processorSeconds
        looked = now
        self.processorSeconds = processorSeconds
    }

    /// - Parameter processorSeconds: the processor time of the process until now.
    mutating func isDue(at now: ContinuousClock.Instant, processorSeconds: Double) -> Bool {
        let share = (processorSeconds - self.processorSeconds) / ((now - looked) / .seconds(1))
        (looked, self.processorSeconds) = (now, processorSeconds)
        guard processorSeconds - processorSecondsThen >= Self.leastProcessorSeconds,
            now - released >= shortestPause
        else { return false }
        return share < Self.quietShare || now - released >= Self.longestPause
    }

    mutating func noteRelease(at now: ContinuousClock.Instant, took span: Duration) {
        (released, processorSecondsThen) = (now, processorSeconds)
        shortestPause = span * Self.shortestPauseRatio
    }
}
