#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system's clocks, for the defaults of parameters that take the time.
public enum WallClock {
    /// Milliseconds since the Unix epoch.
    @Sendable public static func milliseconds() -> Int64 { read(CLOCK_REALTIME) }

    /// Microseconds since the Unix epoch.
    @Sendable public static func microseconds() -> Int64 { read(CLOCK_REALTIME, perSecond: 1_000_000) }

    /// Milliseconds of a clock that never goes back.
    @Sendable public static func monotonicMilliseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Microseconds of a clock that never goes back.
    @Sendable public static func monotonicMicroseconds() -> Int64 { read(CLOCK_MONOTONIC, perSecond: 1_000_000) }

    private static func read(_ clock: clockid_t, perSecond: Int64 = 1000) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * perSecond + Int64(time.tv_nsec) * perSecond / 1_000_000_000
    }
}
