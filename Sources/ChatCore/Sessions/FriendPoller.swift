import ChatDomain
import Identity

/// Friends that other services keep in Redis, for one shard's sessions that see friends. Changes of them are not announced, so they
/// are read again periodically. The store is asked only about users whose friends there changed.
final class FriendPoller {
    private static let interval: Duration = .seconds(10)
    private static let usersAtOnce = 200

    /// The friends read of one user.
    private struct Finding: Sendable {
        var user: UserID
        var digest: Int
        var friends: Set<UserID>
    }

    private unowned let registry: SessionRegistry
    /// The friends in Redis as they were last read.
    private var digests: [UserID: Int] = [:]
    /// How often friendships were announced; what was read before such a moment is not believed.
    private var announcements = 0

    init(registry: SessionRegistry) { self.registry = registry }

    private var context: ShardContext { registry.context }

    func noteAnnouncement() { announcements += 1 }

    func begin() {
        let users = Set(
            registry.all.lazy.filter { $0.presence.friends != nil }.compactMap { $0.identity?.userID })
        digests = digests.filter { users.contains($0.key) }
        read(Array(users)[...])
    }

    private func read(_ users: ArraySlice<UserID>) {
        guard !users.isEmpty else {
            context.loop.schedule(after: Self.interval) { [weak self] in self?.begin() }
            return
        }
        let slice = Array(users.prefix(Self.usersAtOnce))
        let known = slice.map { digests[$0] }
        let before = announcements
        context.loop.run({ [hub = context.services.presence] in await Self.changes(of: slice, since: known, hub) }) {
            [weak self] findings in
            guard let self else { return }
            if announcements == before { for finding in findings { take(finding) } }
            read(users.dropFirst(Self.usersAtOnce))
        }
    }

    private static func changes(of users: [UserID], since known: [Int?], _ hub: PresenceHub) async -> [Finding] {
        guard let shared = await hub.directory.sharedFriends(of: users) else { return [] }
        var findings: [Finding] = []
        for (user, digest) in zip(users, known) {
            let inRedis = shared[user] ?? []
            guard inRedis.hashValue != digest, let own = await hub.storedFriends(of: user) else { continue }
            findings.append(Finding(user: user, digest: inRedis.hashValue, friends: own.union(inRedis)))
        }
        return findings
    }

    private func take(_ finding: Finding) {
        digests[finding.user] = finding.digest
        for session in registry.sessions(of: finding.user) {
            session.presence.setFriends(finding.friends)
        }
    }
}
