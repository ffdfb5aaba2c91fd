import ChatDomain
import Synchronization

/// This instance's users with their sessions and their message allowance, shared by all shards.
final class UserDirectory: Sendable {
    struct Entry: Sendable {
        let id: SessionID
        let address: SessionAddress
    }

    private struct User {
        var sessions: [Entry] = []
        var bucket: TokenBucket
    }

    private let users = Mutex<[UserID: User]>([:])
    private let rate: Int
    private var burst: Int { rate * 3 }

    /// - Parameter messageRate: messages a second and user, 0 for no limit.
    init(messageRate: Int) { rate = messageRate }

    func add(_ id: SessionID, at address: SessionAddress, of user: UserID, now: Moment) {
        users.withLock { users in
            users[user, default: User(bucket: TokenBucket(burst: burst, at: now))].sessions
                .append(Entry(id: id, address: address))
        }
    }

    /// Where a session of this instance lives; nil when it is gone.
    func address(of session: SessionID, of user: UserID) -> SessionAddress? {
        users.withLock { $0[user]?.sessions.first { $0.id == session }?.address }
    }

    func remove(_ address: SessionAddress, of user: UserID, at now: Moment) {
        users.withLock { users in
            guard var entry = users.removeValue(forKey: user) else { return }
            entry.sessions.removeAll { $0.address == address }
            // A user who comes back at once finds the allowance as it was left.
            guard entry.sessions.isEmpty, entry.bucket.isFull(rate: rate, burst: burst, at: now) else {
                users[user] = entry
                return
            }
        }
    }

    /// Users remembered.
    var count: Int { users.withLock { $0.count } }

    func sessions(of user: UserID) -> [SessionAddress] {
        users.withLock { $0[user]?.sessions.map(\.address) ?? [] }
    }

    /// Counts a message; the milliseconds to wait when it is one too many.
    func countMessage(of user: UserID, at now: Moment) -> Int64? {
        guard rate > 0 else { return nil }
        return users.withLock { users in
            users[user, default: User(bucket: TokenBucket(burst: burst, at: now))].bucket
                .take(rate: rate, burst: burst, at: now)
        }
    }

    /// Forgets users without sessions whose allowance is whole again. Called now and then.
    func sweep(at now: Moment) {
        users.withLock { users in
            for (id, var user) in users
            where user.sessions.isEmpty && user.bucket.isFull(rate: rate, burst: burst, at: now) {
                users[id] = nil
            }
        }
    }
}
