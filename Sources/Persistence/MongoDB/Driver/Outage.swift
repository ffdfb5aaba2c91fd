import Synchronization

/// Makes commands fail at once for a moment after no primary was found.
///
/// Otherwise each command would wait for a primary up to its limit, a few commands at a time, and the commands behind them
/// would wait for all of these. So the queue stays short.
final class Outage: Sendable {
    private static let pause = Duration.seconds(1)

    private let until = Mutex<ContinuousClock.Instant?>(nil)

    func recordFailure(at now: ContinuousClock.Instant = .now) {
        until.withLock { $0 = now + Self.pause }
    }

    /// - Throws: `.notSent` within a second after the last failure.
    func check(at now: ContinuousClock.Instant = .now) throws(MongoError) {
        guard until.withLock({ $0.map { now < $0 } ?? false }) else { return }
        throw .notSent(reason: "no primary was found a moment ago")
    }
}
