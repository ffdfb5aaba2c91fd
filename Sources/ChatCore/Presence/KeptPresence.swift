import ChatDomain
import Synchronization

/// How the users stand whose presence is kept here: those with sessions on this instance, and those that its clients watch.
///
/// The directory of an instance by itself has all users, so there nothing is kept beside it.
final class KeptPresence: Sendable {
    private let directory: any SessionDirectory
    private let board = Mutex(PresenceBoard())

    init(_ directory: any SessionDirectory) { self.directory = directory }

    private var isInDirectory: Bool { directory.isAlone }

    /// Users kept beside the directory.
    var count: Int { board.withLock { $0.count } }

    /// nil for a user that is not kept, and for one without a session.
    func presence(of user: UserID) -> UserPresence? {
        isInDirectory ? directory.ownPresence(of: user) : board.withLock { $0.presence(of: user) }
    }

    /// How each of these users stands, all at one moment; nil for one that is not kept, and for one without a session.
    func presence(of users: [UserID]) -> [UserPresence?] {
        isInDirectory ? users.map(presence(of:)) : board.withLock { board in users.map { board.presence(of: $0) } }
    }

    /// How those of these users stand that are kept, and which are not. A user may cease to be kept at any time, so both are found
    /// in one step.
    func lookUp(_ users: [UserID]) -> (found: [UserID: UserPresence], unknown: [UserID]) {
        var (found, unknown): ([UserID: UserPresence], [UserID]) = ([:], [])
        guard !isInDirectory else {
            for user in users { found[user] = presence(of: user) }
            return (found, [])
        }
        board.withLock { board in
            for user in users {
                if board.knows(user) { found[user] = board.presence(of: user) } else { unknown.append(user) }
            }
        }
        return (found, unknown)
    }

    /// Whether it is known how a user stands.
    func knows(_ user: UserID) -> Bool { isInDirectory || board.withLock { $0.knows(user) } }

    /// Something came from a user here.
    func see(_ user: UserID, at now: Timestamp) {
        if isInDirectory { directory.see(user, at: now) } else { board.withLock { $0.see(user, at: now) } }
    }

    // MARK: What the directory reports

    /// Takes in a change. Calls `announce` with the edge it makes, in order for each user.
    func apply(_ news: PresenceNews, isFirst: Bool, announce: (PresenceEdge) -> Void) {
        guard !isInDirectory else {
            let edge = PresenceEdge(before: news.before ?? .offline, presence: news.presence)
            if edge.before != edge.presence.actualStatus { announce(edge) }
            return
        }
        board.withLock { board in
            let before = isFirst ? news.before : nil
            if let edge = board.apply(news.presence, before: before ?? .offline) { announce(edge) }
        }
    }

    func learn(_ users: [UserPresence]) { board.withLock { $0.learn(users) } }

    /// Takes in how users stand for certain. Calls `announce` with the edges that the news had missed, if any.
    func compare(_ users: [UserPresence], at now: Timestamp, announce: ([PresenceEdge]) -> Void) {
        board.withLock { board in
            let edges = board.compare(users, at: now)
            if !edges.isEmpty { announce(edges) }
        }
    }

    func forget(_ users: [UserID]) { board.withLock { $0.forget(users) } }
}
