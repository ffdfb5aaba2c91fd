import ChatDomain
import Synchronization

@testable import ChatCore

/// The time of a test, which moves when the test says so, on and off the loops.
final class ManualClock: ChatClock {
    private struct State {
        var monotonic = Moment(milliseconds: 1_000_000)
        /// What the wall clock is ahead of the other one.
        var wallOffset: Int64 = 1_700_000_000_000
        var timers = ManualTimers<@Sendable () -> Void>()
    }

    private let state = Mutex(State())

    var monotonic: Moment { state.withLock { $0.monotonic } }
    var pendingTimers: Int { state.withLock { $0.timers.count } }

    var now: Now {
        state.withLock { state in
            let wall = Timestamp(milliseconds: state.wallOffset + state.monotonic.milliseconds)
            return Now(wall: wall, monotonic: state.monotonic)
        }
    }

    func schedule(after span: Duration, _ action: @escaping @Sendable () -> Void) {
        state.withLock { state in _ = state.timers.add(action, at: state.monotonic + max(span, .zero)) }
    }

    /// Sets the wall clock forward or back.
    func setWall(by span: Duration) { state.withLock { $0.wallOffset += span.wholeMilliseconds } }

    /// Moves the time alone; timers that are due then run by `fireTimer`.
    func advance(to moment: Moment) { state.withLock { $0.monotonic = max($0.monotonic, moment) } }

    /// Moves the time, with each timer at its moment.
    func advance(by span: Duration) {
        let end = monotonic + span
        while let next = nextTimer(by: end) {
            advance(to: next)
            fireTimer()
        }
        advance(to: end)
    }

    /// When the next timer that is due by then goes off.
    func nextTimer(by end: Moment) -> Moment? { state.withLock { $0.timers.next(by: end) } }

    /// Runs the first of the timers that are due now; whether there was one.
    @discardableResult
    func fireTimer() -> Bool {
        guard let action = state.withLock({ $0.timers.takeDue(at: $0.monotonic) }) else { return false }
        action()
        return true
    }
}

/// Actions with the moments they are due at.
struct ManualTimers<Action> {
    private var timers: [(id: LoopTimer, deadline: Moment, action: Action)] = []
    private var last: UInt64 = 0

    var count: Int { timers.count }

    mutating func add(_ action: Action, at deadline: Moment) -> LoopTimer {
        last += 1
        timers.append((LoopTimer(last), deadline, action))
        return LoopTimer(last)
    }

    mutating func cancel(_ timer: LoopTimer) { timers.removeAll { $0.id == timer } }

    func next(by end: Moment) -> Moment? { timers.lazy.map(\.deadline).filter { $0 <= end }.min() }

    /// Removes and returns the one that is due first; of several due at once the one added first.
    mutating func takeDue(at now: Moment) -> Action? {
        let due = timers.indices.filter { timers[$0].deadline <= now }
        guard let index = due.min(by: { (timers[$0].deadline, $0) < (timers[$1].deadline, $1) }) else { return nil }
        return timers.remove(at: index).action
    }
}
