#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A loop's times, read once a turn.
struct LoopClocks {
    private var monotonicNanoseconds: Int64 = 0
    /// Since the Unix epoch.
    private(set) var wallMilliseconds: Int64 = 0
    /// The time the loop has waited for input, altogether.
    private(set) var waited: Duration = .zero

    init() { refresh() }

    /// From an arbitrary start.
    var monotonicMilliseconds: Int64 { monotonicNanoseconds / 1_000_000 }

    /// The time since they were read.
    var elapsed: Duration { .nanoseconds(Self.read(CLOCK_MONOTONIC) - monotonicNanoseconds) }

    /// Monotonic milliseconds now.
    static var currentMilliseconds: Int64 { read(CLOCK_MONOTONIC) / 1_000_000 }

    /// Calls `wait`, and reads the clocks behind it.
    mutating func refresh<Result>(after wait: () -> Result) -> Result {
        let begun = Self.read(CLOCK_MONOTONIC)
        let result = wait()
        refresh()
        waited += .nanoseconds(monotonicNanoseconds - begun)
        return result
    }

    mutating func refresh() {
        monotonicNanoseconds = Self.read(CLOCK_MONOTONIC)
        wallMilliseconds = Self.read(CLOCK_REALTIME) / 1_000_000
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
