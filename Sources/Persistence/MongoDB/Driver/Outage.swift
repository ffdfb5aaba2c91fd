import Dispatch
import Synchronization

/// The time in which no primary can be found.
///
/// Without it each command would wait for a primary up to the driver's limit, a few commands at a time, and the commands
/// behind them would wait for all of these. During an outage commands fail at once, a single probe looks for the primary, and
/// callers that repeat their commands wait here without a thread.
final class Outage: Sendable {
    /// Callers past this are resumed after their delay, as they are without an outage.
    private static let maximumWaiting = 65_536

    private struct State {
        var since: ContinuousClock.Instant?
        var isProbed = false
        var isClosed = false
        var waiting: [UInt64: @Sendable () -> Void] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Throws: `.noEffect` during an outage.
    func check() throws(MongoError) {
        guard state.withLock({ $0.since != nil }) else { return }
        throw .noEffect(reason: "no primary is known")
    }

    /// When the outage began; nil when there is none.
    var start: ContinuousClock.Instant? { state.withLock { $0.since } }

    /// No primary was found.
    func begin(at now: ContinuousClock.Instant = .now) {
        state.withLock { $0.since = $0.since ?? now }
    }

    /// A primary answered.
    func end() {
        resumeAll { state in
            state.since = nil
            state.isProbed = false
        }
    }

    /// Resumes all callers, and later ones at once: the store is closed.
    func close() { resumeAll { $0.isClosed = true } }

    // MARK: The probe

    /// Whether the caller has to look for the primary: there is an outage, and no probe is under way.
    func takeProbe() -> Bool {
        state.withLock { state in
            guard state.since != nil, !state.isProbed, !state.isClosed else { return false }
            state.isProbed = true
            return true
        }
    }

    /// The probe found no primary. Another one may follow.
    func didProbeInVain() { state.withLock { $0.isProbed = false } }

    // MARK: Waiting

    /// Calls `resume` once, on any thread: when the outage ends, and after `limit` at the latest. Without an outage it is
    /// called after `delay`.
    func wait(atMost limit: Duration, delay: Duration, then resume: @escaping @Sendable () -> Void) {
        let (number, span) = state.withLock { state -> (UInt64?, Duration) in
            guard !state.isClosed else { return (nil, .zero) }
            guard state.since != nil, state.waiting.count < Self.maximumWaiting else { return (nil, delay) }
            state.lastNumber += 1
            state.waiting[state.lastNumber] = resume
            return (state.lastNumber, limit)
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + max(.zero, span) / .seconds(1)) { [self] in
            guard let number else { return resume() }
            state.withLock { $0.waiting.removeValue(forKey: number) }?()
        }
    }

    private func resumeAll(_ change: (inout State) -> Void) {
        let resumed = state.withLock { state in
            change(&state)
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for resume in resumed { resume() }
    }
}
