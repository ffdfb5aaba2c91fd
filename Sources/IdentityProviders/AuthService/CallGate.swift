import ChatDomain
import Workers

/// Whether a server that fails is asked, as a value.
///
/// After a few failures in a row the server is left alone for a time that grows. Then one call at a time tries it.
struct CallGate: Sendable {
    /// How a call was admitted.
    enum Permit: Sendable {
        case usual
        /// The one call that finds out whether the server is back.
        case trial
    }

    /// Failures in a row that close the gate.
    static let maximumFailures = 3

    private var failures = 0
    private var closedUntil: Moment?
    private var isTrialUnderWay = false
    private var backoff = Backoff(base: .milliseconds(250), limit: .seconds(5))

    /// Whether a call would be admitted.
    func admits(now: Moment) -> Bool {
        guard let closedUntil else { return true }
        return now >= closedUntil && !isTrialUnderWay
    }

    /// Admits a call; nil when it may not be made. Each admitted call ends with one of the functions below.
    mutating func begin(now: Moment) -> Permit? {
        guard admits(now: now) else { return nil }
        guard closedUntil != nil else { return .usual }
        isTrialUnderWay = true
        return .trial
    }

    /// The server answered.
    mutating func succeeded() {
        failures = 0
        closedUntil = nil
        isTrialUnderWay = false
        backoff.reset()
    }

    /// The call never left: nothing is known of the server.
    mutating func abandoned(_ permit: Permit) {
        if permit == .trial { isTrialUnderWay = false }
    }

    /// The server gave no answer.
    mutating func failed(_ permit: Permit, now: Moment, using random: inout some RandomNumberGenerator) {
        failures = min(failures + 1, Self.maximumFailures)
        if permit == .trial { isTrialUnderWay = false }
        // Calls that were under way when the gate closed do not close it for longer.
        guard permit == .trial || (failures == Self.maximumFailures && closedUntil == nil) else { return }
        closedUntil = now + max(.milliseconds(50), backoff.nextDelay(using: &random))
    }
}
