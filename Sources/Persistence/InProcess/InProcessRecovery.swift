public import ChatDomain
import Synchronization

/// Broken-off sessions in the memory of this instance.
public final class InProcessRecovery: RecoveryStore {
    private struct Kept {
        let session: RecoverableSession
        let deadline: Moment
        let number: UInt64
    }

    private struct State {
        var sessions: [String: Kept] = [:]
        /// The keys and numbers of sessions in the order they came. Some were taken or replaced meanwhile.
        var order: [(key: String, number: UInt64)] = []
        var lastNumber: UInt64 = 0

        func holds(_ entry: (key: String, number: UInt64)) -> Bool { sessions[entry.key]?.number == entry.number }
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let clock: @Sendable () -> Moment

    /// - Parameters:
    ///   - capacity: sessions kept at most.
    ///   - clock: never goes back.
    public init(capacity: Int = 20_000, clock: @escaping @Sendable () -> Moment) {
        self.capacity = capacity
        self.clock = clock
    }

    public func keep(_ session: RecoverableSession, under key: String, for span: Duration) {
        let now = clock()
        state.withLock { state in
            state.lastNumber += 1
            let deadline = now + span
            state.sessions[key] = Kept(session: session, deadline: deadline, number: state.lastNumber)
            state.order.append((key, state.lastNumber))
            Self.sweep(&state, capacity: capacity, now: now)
        }
    }

    public func take(_ key: String) async -> RecoverableSession? {
        let now = clock()
        return state.withLock { state in
            guard let kept = state.sessions.removeValue(forKey: key), kept.deadline > now else { return nil }
            return kept.session
        }
    }

    public func forget(_ user: UserID, keptFor span: Duration) {
        state.withLock { state in state.sessions = state.sessions.filter { $0.value.session.user.userID != user } }
    }

    /// Sessions kept now.
    public var count: Int { state.withLock { $0.sessions.count } }

    /// All sessions are kept for about the same time, so the oldest are the first to go.
    private static func sweep(_ state: inout State, capacity: Int, now: Moment) {
        var dropped = 0
        for entry in state.order {
            if state.holds(entry), let kept = state.sessions[entry.key] {
                guard kept.deadline <= now || state.sessions.count > capacity else { break }
                state.sessions[entry.key] = nil
            }
            dropped += 1
        }
        state.order.removeFirst(dropped)
        // Sessions that are taken leave their entries behind the oldest one that stays.
        if state.order.count > 2 * capacity { state.order = state.order.filter { state.holds($0) } }
    }
}
