import Synchronization

/// Remembers that no primary was found a moment ago.
///
/// Every command would wait for one as long as it may, a few at a time, and those behind them would wait for all of
/// these. So for a moment after each failure commands fail at once, and the queue stays short.
final class Outage: Sendable {
    private static let pause = Duration.seconds(1)

    private let until = Mutex<ContinuousClock.Instant?>(nil)

    func note(at now: ContinuousClock.Instant = .now) {
        until.withLock { $0 = now + Self.pause }
    }

    /// - Throws: `.notSent` while the last failure is fresh.
    func check(at now: ContinuousClock.Instant = .now) throws(MongoError) {
        guard until.withLock({ $0.map { now < $0 } ?? false }) else { return }
        throw .notSent(reason: "no primary was found a moment ago")
    }
}
