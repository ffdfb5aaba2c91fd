import ChatDomain
import RedisLink

/// The directory's requests as commands, and Redis's replies as answers. Replies are input: an odd entry is left out.
struct DirectoryCodec: Sendable {
    /// In place of a limit it marks a session that an instance adds again. No session gives way to it.
    private static let registersAgain = -1
    /// Entries that one run of the sweep removes at most, so that a run does not hold up Redis.
    private static let sweepSlice = 200
    /// Users of one page, about.
    private static let pageSize = 500

    private let instance: InstanceID
    private let keys: PresenceKeys
    private let scripts: PresenceScripts
    private let channels: PresenceChannels
    private let grace: Duration
    private let maximumSessions: Int

    /// - Parameters:
    ///   - grace: how long users of an instance that ends stay in sight.
    ///   - maximumSessions: sessions that a user may have on all instances; 0 for no limit.
    init(
        instance: InstanceID, _ channels: PresenceChannels, _ scripts: PresenceScripts, grace: Duration,
        maximumSessions: Int
    ) {
        self.instance = instance
        self.scripts = scripts
        self.channels = channels
        keys = PresenceKeys(space: channels.space)
        self.grace = grace
        self.maximumSessions = maximumSessions
    }

    // MARK: Commands

    func commands(for request: DirectoryRequest) -> [RedisCommand] {
        switch request {
        case .connect(let record, _): [connection(of: record, limit: maximumSessions, at: record.connectedAt)]
        case .update(let session, let user, let update, let time):
            [change(session, of: user, update, at: time) ?? departure(of: [request])]
        case .remove: [departure(of: [request])]
        case .setPresent(let place, let isPresent): [presence(at: place, isPresent)]
        case .register(let records, let places, let time, _):
            records.map { connection(of: $0, limit: Self.registersAgain, at: time) }
                + places.map { presence(at: $0, true) }
        case .renewLease: [lease(of: DirectoryMachine.lease)]
        case .releaseLease: [lease(of: grace)]
        case .sweep(let ended, let time):
            [
                run(
                    scripts.sweep, RedisArgument(instance.value), RedisArgument(ended.value),
                    RedisArgument(Self.sweepSlice), RedisArgument(time.milliseconds), RedisArgument(time.iso8601))
            ]
        case .renewKeys(let users):
            [.script(scripts.renew, keys: keys.space.scriptKeys, arguments: users.map { RedisArgument($0.value) })]
        case .readInventory:
            [["HGETALL", keys.sessions(of: instance)], ["SMEMBERS", keys.rooms(of: instance)]]
        case .readUsers(let users, _): [run(scripts.time)] + users.map(keys.reading)
        case .scanUsers(let cursor, _):
            [run(scripts.time), run(scripts.snapshot, RedisArgument(cursor), RedisArgument(Self.pageSize))]
        case .countOnline: [["ZCARD", keys.online]]
        case .publishMark(let number): [publication(Array(String(number).utf8), to: instance)]
        }
    }

    /// A payload under this instance's name.
    ///
    /// - Parameter receiver: nil for all instances.
    func publication(_ payload: [UInt8], to receiver: InstanceID?) -> RedisCommand {
        let channel = receiver.map { channels.inbox(of: $0) } ?? channels.everyone
        return ["PUBLISH", RedisArgument(channel), RedisArgument(Array(instance.value.utf8) + [0] + payload)]
    }

    private func connection(of record: SessionRecord, limit: Int, at time: Timestamp) -> RedisCommand {
        run(
            scripts.connect, RedisArgument(instance.value), RedisArgument(record.user.userID.value),
            RedisArgument(record.id.value), RedisArgument(PresenceCodec.encode(record)), RedisArgument(limit),
            RedisArgument(time.milliseconds), RedisArgument(time.iso8601))
    }

    /// - Returns: nil where the session leaves by that.
    private func change(
        _ session: SessionID, of user: UserID, _ update: SessionUpdate, at time: Timestamp
    ) -> RedisCommand? {
        let (field, value): (RedisArgument, RedisArgument)
        switch update {
        case .requestedStatus(let status): (field, value) = ("wish", RedisArgument(status.rawValue))
        case .idle(let isIdle): (field, value) = ("idle", isIdle ? 1 : 0)
        case .active: (field, value) = ("active", "")
        case .renamed(let name): (field, value) = ("name", RedisArgument(name))
        case .disconnected: return nil
        }
        return run(
            scripts.update, RedisArgument(instance.value), RedisArgument(user.value), RedisArgument(session.value),
            field, value, RedisArgument(time.milliseconds), RedisArgument(time.iso8601))
    }

    /// One command for sessions that leave.
    func departure(of requests: some Sequence<DirectoryRequest>) -> RedisCommand {
        var arguments = [RedisArgument(instance.value)]
        for request in requests {
            switch request {
            case .update(let session, let user, .disconnected, let time):
                arguments += words(for: session, user, "lingering", at: time)
            case .remove(let session, let user, let time): arguments += words(for: session, user, "removed", at: time)
            default: break
            }
        }
        return .script(scripts.leave, keys: keys.space.scriptKeys, arguments: arguments)
    }

    private func words(
        for session: SessionID, _ user: UserID, _ what: RedisArgument, at time: Timestamp
    ) -> [RedisArgument] {
        [
            RedisArgument(user.value), RedisArgument(session.value), what, RedisArgument(time.milliseconds),
            RedisArgument(time.iso8601),
        ]
    }

    private func presence(at place: RoomPlace, _ isPresent: Bool) -> RedisCommand {
        run(
            scripts.room, RedisArgument(instance.value), RedisArgument(place.room.value),
            RedisArgument(place.user.value), isPresent ? 1 : 0)
    }

    private func lease(of span: Duration) -> RedisCommand {
        run(scripts.lease, RedisArgument(instance.value), RedisArgument(span.wholeMilliseconds))
    }

    private func run(_ script: RedisScript, _ arguments: RedisArgument...) -> RedisCommand {
        .script(script, keys: keys.space.scriptKeys, arguments: arguments)
    }

    // MARK: Answers

    /// - Parameter replies: one for each command of the request.
    func answer(to request: DirectoryRequest, _ replies: [RedisClient.Reply]) -> DirectoryAnswer {
        var values: [RedisValue] = []
        for reply in replies {
            switch reply {
            case .success(let value): values.append(value)
            // A key of another kind is another program's mistake. Its user has no session.
            case .failure(.server("WRONGTYPE", _)) where request.isReading: values.append(.null)
            case .failure(let error): return .failed(error)
            }
        }
        switch request {
        case .update, .remove, .setPresent, .register, .renewKeys: return .done
        case .connect(let record, _): return Self.connected(values.first, record.user.userID)
        case .renewLease, .releaseLease: return Self.lease(values.first)
        case .sweep: return .swept(hasMore: values.first?.integer == 1)
        case .readInventory: return Self.inventory(values)
        case .readUsers(let users, _): return Self.users(users, values)
        case .scanUsers: return Self.page(values)
        case .countOnline:
            return values.first?.integer.flatMap { Int(exactly: $0) }.map { .count($0) } ?? .malformed
        case .publishMark: return values.first?.integer.map { .published(listeners: $0) } ?? .malformed
        }
    }

    private static func connected(_ value: RedisValue?, _ user: UserID) -> DirectoryAnswer {
        let fields = value?.array ?? []
        let presence = fields.dropFirst().first?.bytes.flatMap { PresenceCodec.statement(of: user, $0) }
        let evicted = pairs(fields.dropFirst(2)).compactMap { id, bytes -> SessionRecord? in
            guard let id = id.text, let bytes = bytes.bytes else { return nil }
            return PresenceCodec.record(SessionID(id), of: user, bytes)?.record
        }
        return .connected(
            requestedStatus: fields.first?.text.flatMap(PresenceStatus.init), presence: presence, evicted: evicted)
    }

    private static func lease(_ value: RedisValue?) -> DirectoryAnswer {
        guard let fields = value?.array, let isHeld = fields.first?.integer else { return .malformed }
        let others = fields.dropFirst().first?.integer.flatMap { Int(exactly: $0) } ?? 0
        return .lease(
            isHeld: isHeld == 1, others: others, ended: fields.dropFirst(2).compactMap { $0.text.map { .init($0) } })
    }

    private static func inventory(_ values: [RedisValue]) -> DirectoryAnswer {
        guard values.count == 2, let sessions = values[0].array, let rooms = values[1].array else { return .malformed }
        return .inventory(
            pairs(sessions[...]).compactMap { id, user in
                guard let id = id.text, let user = user.text.flatMap({ try? UserID(validating: $0, field: "userId") })
                else { return nil }
                return StoredSession(id: SessionID(id), user: user)
            },
            rooms.compactMap { $0.text.flatMap(RoomPlace.init) })
    }

    private static func users(_ users: [UserID], _ values: [RedisValue]) -> DirectoryAnswer {
        guard let time = values.first.flatMap(version), values.count == users.count + 1 else { return .malformed }
        return .users(
            zip(users, values.dropFirst()).compactMap { user, value in
                value.bytes.flatMap { PresenceCodec.statement(of: user, $0) }
            }, at: time, next: nil)
    }

    private static func page(_ values: [RedisValue]) -> DirectoryAnswer {
        guard values.count == 2, let time = version(values[0]), let fields = values[1].array,
            let next = fields.first?.text
        else { return .malformed }
        let users = pairs(fields.dropFirst()).compactMap { id, bytes -> PresenceStatement? in
            guard let user = id.text.flatMap({ try? UserID(validating: $0, field: "userId") }), let bytes = bytes.bytes
            else { return nil }
            return PresenceCodec.statement(of: user, bytes)
        }
        return .users(users, at: time, next: next == FollowedUsers.firstCursor ? nil : next)
    }

    /// The answer of presence-time as the scripts number versions: in microseconds.
    private static func version(_ value: RedisValue) -> Int64? {
        guard let fields = value.array, fields.count == 2, let seconds = fields[0].text.flatMap({ Int64($0) }),
            let fraction = fields[1].text.flatMap({ Int64($0) })
        else { return nil }
        let (whole, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return isTooLarge ? nil : whole.addingReportingOverflow(fraction).partialValue
    }

    /// A flat list of names and values; a name without a value is left out.
    static func pairs(_ flat: ArraySlice<RedisValue>) -> [(RedisValue, RedisValue)] {
        stride(from: flat.startIndex, to: flat.endIndex - 1, by: 2).map { (flat[$0], flat[$0 + 1]) }
    }
}
