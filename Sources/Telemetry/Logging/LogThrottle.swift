import Synchronization

/// Lets one event through in every interval and counts the others: for failures that may come thousands of times a second.
public struct LogThrottle: Sendable {
    public enum Decision: Equatable, Sendable {
        /// Write it; so many were suppressed since the last one that was written.
        case write(suppressed: Int)
        case suppress
    }

    private let interval: Duration
    /// When the last line was written, in milliseconds of a clock that never goes back.
    private var writtenAt: Int64?
    private var suppressed = 0

    /// - Parameter interval: the shortest time between two lines.
    public init(interval: Duration = .seconds(10)) { self.interval = interval }

    /// - Parameter now: milliseconds of a clock that never goes back.
    public mutating func decide(at now: Int64) -> Decision {
        if let writtenAt, .milliseconds(now - writtenAt) < interval {
            suppressed += 1
            return .suppress
        }
        defer { suppressed = 0 }
        writtenAt = now
        return .write(suppressed: suppressed)
    }
}

/// A logger for one kind of event that may repeat without end: writes it once in a while, with the number left out.
public final class OccasionalLogger: Sendable {
    private let logger: Logger
    private let throttle: Mutex<LogThrottle>
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - interval: the shortest time between two lines.
    ///   - clock: milliseconds of a clock that never goes back.
    public init(
        _ logger: Logger, interval: Duration = .seconds(10),
        clock: @escaping @Sendable () -> Int64 = WallClock.monotonicMilliseconds
    ) {
        self.logger = logger
        self.throttle = Mutex(LogThrottle(interval: interval))
        self.clock = clock
    }

    public func warning(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> LogFields = [:]) {
        write(.warning, message, fields)
    }

    public func error(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> LogFields = [:]) {
        write(.error, message, fields)
    }

    private func write(_ level: LogLevel, _ message: () -> String, _ fields: () -> LogFields) {
        guard logger.level <= level else { return }
        guard case .write(let suppressed) = throttle.withLock({ $0.decide(at: clock()) }) else { return }
        let logger = suppressed > 0 ? logger.with(["suppressed": suppressed]) : logger
        logger.write(level, message(), fields())
    }
}
