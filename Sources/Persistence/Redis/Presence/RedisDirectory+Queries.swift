public import ChatDomain
import RedisLink
import Synchronization

/// What others may ask about sessions and instances.
extension RedisDirectory {
    private static let usersAtOnce = 200

    public func ownPresence(of user: UserID) -> UserPresence? { state.withLock { $0.own.presence(of: user) } }

    /// Without Redis this instance's sessions are all that is known.
    public func sessions(of users: [UserID]) async -> [UserID: [SessionRecord]] {
        var found: [UserID: [SessionRecord]] = [:]
        for start in stride(from: 0, to: users.count, by: Self.usersAtOnce) {
            let slice = Array(users[start..<min(start + Self.usersAtOnce, users.count)])
            found.merge(await sessions(ofSlice: slice)) { $1 }
        }
        return found
    }

    private func sessions(ofSlice users: [UserID]) async -> [UserID: [SessionRecord]] {
        let replies: [RedisClient.Reply] = await withCheckedContinuation { continuation in
            client.perform(users.map { ["HGETALL", Keys.user($0)] }) { continuation.resume(returning: $0) }
        }
        return state.withLock { state in
            var found: [UserID: [SessionRecord]] = [:]
            for (user, reply) in zip(users, replies) {
                var sessions = state.own.sessions(of: user)
                if state.isLinked, case .success(let value) = reply {
                    sessions = Self.live(value.array ?? [], of: user)
                }
                if !sessions.isEmpty { found[user] = sessions }
            }
            return found
        }
    }

    private static func live(_ flat: [RedisValue], of user: UserID) -> [SessionRecord] {
        var found: [(record: SessionRecord, order: Int64)] = []
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            guard let id = flat[index].text, !id.isEmpty, let bytes = flat[index + 1].bytes,
                let entry = PresenceCodec.record(SessionID(id), of: user, bytes), !entry.record.isLingering
            else { continue }
            found.append(entry)
        }
        return found.sorted { $0.order < $1.order }.map(\.record)
    }

    public var contact: Contact { contactCell.withLock { $0 } }

    public func others() async -> Set<InstanceID>? {
        guard client.state == .connected,
            let names = try? await client.run(
                scripts.others, keys: [], arguments: [RedisArgument(instance.value)]
            ).array
        else { return nil }
        return Set(names.compactMap(\.text).map { InstanceID($0) })
    }

    /// An instance is dead when its lease is gone, and this one may judge.
    public func isAlive(_ instance: InstanceID) async -> Bool {
        guard instance != self.instance, state.withLock({ $0.watch.mayJudge(at: clock().monotonic) }),
            let lease = try? await client.send(["ZSCORE", Keys.instances, RedisArgument(instance.value)])
        else { return true }
        // One that has ended stays until it is swept; only then its events are anybody's.
        return !lease.isNull
    }

    public func sharedFriends(of users: [UserID]) async -> [UserID: Set<UserID>]? {
        let replies: [RedisClient.Reply] = await withCheckedContinuation { continuation in
            client.perform(users.map { ["SMEMBERS", "user:friends:\($0.value)"] }) {
                continuation.resume(returning: $0)
            }
        }
        var found: [UserID: Set<UserID>] = [:]
        for (user, reply) in zip(users, replies) {
            switch reply {
            case .success(let value):
                let members = value.array?.compactMap {
                    $0.text.flatMap { try? UserID(validating: $0, field: "friend") }
                }
                if let members, !members.isEmpty { found[user] = Set(members) }
            // A key of another kind is somebody's mistake and holds no friends.
            case .failure(.server("WRONGTYPE", _)): break
            case .failure: return nil
            }
        }
        return found
    }
}
