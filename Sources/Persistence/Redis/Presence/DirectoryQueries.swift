import ChatDomain
import RedisLink

/// What is read from Redis about sessions and instances for a caller. Replies are input: an odd entry is left out.
struct DirectoryQueries: Sendable {
    /// Users whose sessions are read at once, so that a long list leaves room for other commands.
    private static let usersAtOnce = 200

    let instance: InstanceID
    let client: RedisClient
    let keys: PresenceKeys
    let scripts: PresenceScripts

    /// How users stand, the ones without a session left out; nil while that cannot be read.
    func presence(of users: [UserID]) async -> [UserID: UserPresence]? {
        var found: [UserID: UserPresence] = [:]
        for start in stride(from: 0, to: users.count, by: Self.usersAtOnce) {
            let slice = users[start..<min(start + Self.usersAtOnce, users.count)]
            for (user, reply) in zip(slice, await replies(to: slice.map(keys.reading))) {
                switch reply {
                case .success(let value):
                    found[user] = value.bytes.flatMap { PresenceCodec.statement(of: user, $0) }?.presence
                case .failure(.server("WRONGTYPE", _)): break
                case .failure: return nil
                }
            }
        }
        return found
    }

    /// A part of the list of online users; nil while that cannot be read.
    func online(after cursor: UserID?, limit: Int) async -> OnlineSlice? {
        guard let count = await onlineCount() else { return nil }
        guard limit > 0 else { return OnlineSlice(count: count) }
        let begin = cursor.map { "(\($0.value)" } ?? "-"
        let list = await replies(to: [
            ["ZRANGEBYLEX", keys.online, RedisArgument(begin), "+", "LIMIT", 0, RedisArgument(limit + 1)]
        ])
        guard case .success(let value)? = list.first, let ids = value.array else { return nil }
        let users = ids.compactMap { $0.text.flatMap { try? UserID(validating: $0, field: "userId") } }
        let shown = Array(users.prefix(limit))
        guard let presence = await presence(of: shown) else { return nil }
        return OnlineSlice(
            users: shown.compactMap { presence[$0] }.filter(\.status.isOnline),
            next: ids.count > limit ? shown.last : nil, count: count)
    }

    /// How many users others see online; nil while that cannot be read.
    func onlineCount() async -> Int? {
        guard case .success(let value)? = await replies(to: [["ZCARD", keys.online]]).first else { return nil }
        return value.integer.flatMap { Int(exactly: $0) }
    }

    /// The connected sessions of users, the oldest first; a user whose sessions cannot be read is left out.
    func sessions(of users: [UserID]) async -> [UserID: [SessionRecord]] {
        var found: [UserID: [SessionRecord]] = [:]
        for start in stride(from: 0, to: users.count, by: Self.usersAtOnce) {
            let slice = users[start..<min(start + Self.usersAtOnce, users.count)]
            for (user, reply) in zip(slice, await replies(to: slice.map { ["HGETALL", keys.user($0)] })) {
                if case .success(let value) = reply { found[user] = Self.connected(value.array ?? [], of: user) }
            }
        }
        return found
    }

    private static func connected(_ flat: [RedisValue], of user: UserID) -> [SessionRecord] {
        let entries = DirectoryCodec.pairs(flat[...]).compactMap {
            id, bytes -> (record: SessionRecord, order: Int64)? in
            guard let id = id.text, !id.isEmpty, let bytes = bytes.bytes,
                let entry = PresenceCodec.record(SessionID(id), of: user, bytes), !entry.record.isDisconnected
            else { return nil }
            return entry
        }
        return entries.sorted { $0.order < $1.order }.map(\.record)
    }

    /// The other instances that hold a lease; nil while that cannot be read.
    func others() async -> Set<InstanceID>? {
        guard client.state == .connected,
            let names = try? await client.run(
                scripts.others, keys: keys.space.scriptKeys, arguments: [RedisArgument(instance.value)]
            ).array
        else { return nil }
        return Set(names.compactMap(\.text).map { InstanceID($0) })
    }

    /// Whether Redis has no lease of an instance, and could be asked. One whose lease has ended is there until it is swept.
    func isSwept(_ instance: InstanceID) async -> Bool {
        let lease = try? await client.send(["ZSCORE", keys.instances, RedisArgument(instance.value)])
        return lease?.isNull ?? false
    }

    /// Friends that other services recorded; nil while they cannot be read.
    func sharedFriends(of users: [UserID]) async -> [UserID: Set<UserID>]? {
        var found: [UserID: Set<UserID>] = [:]
        for (user, reply) in zip(users, await replies(to: users.map { ["SMEMBERS", PresenceKeys.friends(of: $0)] })) {
            switch reply {
            case .success(let value):
                let members = value.array?.compactMap {
                    $0.text.flatMap { try? UserID(validating: $0, field: "friend") }
                }
                if let members, !members.isEmpty { found[user] = Set(members) }
            // A key of another kind is another service's mistake and holds no friends.
            case .failure(.server("WRONGTYPE", _)): break
            case .failure: return nil
            }
        }
        return found
    }

    /// Removes the user's keys, and the user from the friends that other services recorded. Scripts removed the keys that follow from
    /// sessions with the last session; a value of a cluster that was written late may be there still.
    func eraseTraces(of user: UserID) async throws(StoreError) {
        guard let friends = await sharedFriends(of: [user]) else { throw .unavailable(reason: "Redis cannot be read") }
        let commands =
            (friends[user] ?? []).map { friend -> RedisCommand in
                ["SREM", PresenceKeys.friends(of: friend), RedisArgument(user.value)]
            } + PresenceKeys.traces(of: user).map { ["DEL", $0] }
        for case .failure(let error) in await replies(to: commands) {
            if case .server("WRONGTYPE", _) = error { continue }
            throw .unavailable(reason: "Redis: \(error)")
        }
    }

    private func replies(to commands: [RedisCommand]) async -> [RedisClient.Reply] {
        await withCheckedContinuation { continuation in
            client.perform(commands) { continuation.resume(returning: $0) }
        }
    }
}
