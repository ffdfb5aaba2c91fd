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

    /// Ends grace periods whose time is over.
    ///
    /// - Parameter remove: takes the places in the list of those sessions that did not come back meanwhile, where there are any.
    ///   None of them can come back before it has returned.
    package func end(_ periods: [(session: SessionID, ticket: UInt64)], remove: ([Int]) -> Void) {
        state.withLock { state in
            let over = periods.indices.filter { index in
                let (session, ticket) = periods[index]
                guard state.running[session] == ticket else { return false }
                state.running[session] = nil
                return true
            }
            if !over.isEmpty { remove(over) }
        }
    }

    /// The session is connected again.
    package func end(_ session: SessionID) { state.withLock { _ = $0.running.removeValue(forKey: session) } }
}
