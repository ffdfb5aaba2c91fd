import ChatCore
import ChatDomain
import Telemetry

/// The system's clocks and timers, for the chat's code off the loops.
struct SystemClock: ChatClock {
    var now: Now { .system }

    // Not a loop's timer: code that waits off the loops must go on when the loops have ended.
    func schedule(after span: Duration, _ action: @escaping @Sendable () -> Void) {
        Task {
            try? await Task.sleep(for: span)
            action()
        }
    }
}

extension Now {
    /// The system's clocks, for the edge of the process; everything else is given the time.
    package static var system: Now {
        Now(
            wall: Timestamp(milliseconds: WallClock.milliseconds()),
            monotonic: Moment(milliseconds: WallClock.monotonicMilliseconds()))
    }
}
