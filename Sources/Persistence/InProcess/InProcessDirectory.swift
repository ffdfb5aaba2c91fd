public import ChatDomain
import Synchronization

/// The sessions of an instance that has no others.
public final class InProcessDirectory: SessionDirectory {
    private struct State {
        var table = PresenceTable()
        var handler: (@Sendable (DirectoryEvent) -> Void)?
    }

    private let instance: InstanceID
    private let maximumSessions: Int
    private let state = Mutex(State())

    /// - Parameter maximumSessions: sessions one user may have; the oldest gives way. 0 for no limit.
    public init(instance: InstanceID, maximumSessions: Int) {
        self.instance = instance
        self.maximumSessions = maximumSessions
    }

    public func start(_ handler: @escaping @Sendable (DirectoryEvent) -> Void) {
        state.withLock { $0.handler = handler }
    }

    public func connect(_ record: SessionRecord, completion: @escaping @Sendable ([SessionRecord]) -> Void) {
        var evicted: [SessionRecord] = []
        change(record.user.userID) { table in
            let outcome = table.connect(record, limit: maximumSessions, at: record.connectedAt)
            evicted = outcome.evicted
            return outcome.change
        }
        completion(evicted)
    }

    public func update(_ session: SessionID, of user: UserID, _ update: SessionUpdate, at now: Timestamp) {
        change(user) { $0.update(session, of: user, update, at: now) }
    }

    public func remove(_ session: SessionID, of user: UserID, at now: Timestamp) {
        change(user) { $0.remove(session, of: user, at: now) }
    }

    /// The handler is called under the lock, so that it gets changes in the order they took effect.
    private func change(_ user: UserID, _ body: (inout PresenceTable) -> UserPresence?) {
        state.withLock { state in
            let (before, online) = (state.table.presence(of: user)?.actualStatus ?? .offline, state.table.onlineCount)
            guard let presence = body(&state.table), let handler = state.handler else { return }
            handler(.changed(PresenceNews(presence, before: before, origin: instance), isFirst: true))
            if presence.isGone { handler(.forgotten([user])) }
            if state.table.onlineCount != online { handler(.counted(online: state.table.onlineCount)) }
        }
    }

    // All users have their sessions here, so all are kept, and a user of whom nothing was delivered has no session.
    public func follow(_ users: [UserID]) {}
    public func unfollow(_ users: [UserID]) {}
    public func followEverybody() {}
    public func unfollowEverybody() {}
    public func load(_ users: [UserID], completion: @escaping @Sendable () -> Void) { completion() }

    public func presence(of users: [UserID]) async -> [UserID: UserPresence] {
        state.withLock { state in
            users.reduce(into: [:]) { $0[$1] = state.table.presence(of: $1) }
        }
    }

    public func online(after cursor: UserID?, limit: Int) async -> OnlineSlice {
        state.withLock { $0.table.online(after: cursor, limit: limit) }
    }

    public func onlineCount() async -> Int { state.withLock { $0.table.onlineCount } }

    public var isAlone: Bool { true }
    public func see(_ user: UserID, at now: Timestamp) { state.withLock { $0.table.see(user, at: now) } }
    public func ownPresence(of user: UserID) -> UserPresence? { state.withLock { $0.table.presence(of: user) } }

    public func sessions(of users: [UserID]) async -> [UserID: [SessionRecord]] {
        state.withLock { state in
            var found: [UserID: [SessionRecord]] = [:]
            for user in users {
                let sessions = state.table.sessions(of: user)
                if !sessions.isEmpty { found[user] = sessions }
            }
            return found
        }
    }

    /// There is no other instance. Data under another name was left by an earlier run.
    public func isAlive(_ instance: InstanceID) async -> Bool { instance == self.instance }

    public var otherInstances: Int { 0 }
    public func sharedFriends(of users: [UserID]) async -> [UserID: Set<UserID>]? { [:] }
    public func setPresent(_ user: UserID, in room: RoomID, _ isPresent: Bool) {}
    public func send(_ payload: [UInt8], to instance: InstanceID?) {}
    /// No other instance keeps disconnected users visible during their grace period, so they are removed at once.
    public func close() async {
        for record in state.withLock({ $0.table.records }) {
            remove(record.id, of: record.user.userID, at: record.lastActiveAt)
        }
    }
}
