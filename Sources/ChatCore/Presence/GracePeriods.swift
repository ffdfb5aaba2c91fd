import ChatDomain
import Synchronization

/// The grace periods under way on this instance. A session that comes back ends its own; if it breaks off again, the next
/// one has its full length.
package final class GracePeriods: Sendable {
    private struct State {
        var running: [SessionID: UInt64] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    /// The ticket that `isOver` takes.
    package func begin(_ session: SessionID) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.running[session] = state.last
            return state.last
        }
    }

    /// Ends a grace period whose time is over.
    ///
    /// - Returns: whether the session is to go; false when it came back meanwhile.
    package func isOver(_ session: SessionID, _ ticket: UInt64) -> Bool {
        state.withLock { state in
            guard state.running[session] == ticket else { return false }
            state.running[session] = nil
            return true
        }
    }

    /// The session is connected again.
    package func end(_ session: SessionID) { state.withLock { _ = $0.running.removeValue(forKey: session) } }
}
