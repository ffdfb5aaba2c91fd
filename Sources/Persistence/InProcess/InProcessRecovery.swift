public import ChatDomain
import Synchronization

/// Broken-off sessions in the memory of this instance.
public final class InProcessRecovery: RecoveryStore {
    private struct Kept {
        let session: RecoverableSession
        let deadline: Int64
    }

    private struct State {
        var sessions: [String: Kept] = [:]
        /// The keys in the order they came, some of them taken meanwhile.
        var order: [String] = []
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - capacity: sessions kept at most.
    ///   - clock: monotonic milliseconds.
    public init(capacity: Int = 20_000, clock: @escaping @Sendable () -> Int64) {
        self.capacity = capacity
        self.clock = clock
    }

    public func keep(_ session: RecoverableSession, under key: String, for milliseconds: Int64) {
        let now = clock()
        state.withLock { state in
            state.sessions[key] = Kept(session: session, deadline: now + milliseconds)
            state.order.append(key)
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

    public func forget(_ user: UserID, keptFor milliseconds: Int64) {
        state.withLock { state in state.sessions = state.sessions.filter { $0.value.session.user.userID != user } }
    }

    /// Sessions kept now.
    public var count: Int { state.withLock { $0.sessions.count } }

    /// All are kept for about the same time, so the oldest are the first to go.
    private static func sweep(_ state: inout State, capacity: Int, now: Int64) {
        var dropped = 0
        for key in state.order {
            if let kept = state.sessions[key] {
                guard kept.deadline <= now || state.sessions.count > capacity else { break }
                state.sessions[key] = nil
            }
            dropped += 1
        }
        state.order.removeFirst(dropped)
    }
}
