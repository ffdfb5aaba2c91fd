import ChatDomain
import JSON

/// Events about the presence of users.
extension ClientEvent {
    private static let pageFields: [Field] = [.optional("cursor", .id), .optional("limit", .integer)]
    private static let subjectFields: [Field] = [
        .optional("userIds", .ids), .optional("roomIds", .ids), .optional("friends", .boolean),
        .optional("all", .boolean),
    ]

    static let presence: [ClientEvent] = [
        declare(
            "set_status", fields: [.required("status", .text)],
            dataNote: "`{status}`: online, away, busy, invisible, offline",
            effect: "`status_updated {status, timestamp}`; sessions that watch the user get `user_status_change`",
            decode: { (input) throws(ChatError) in .setStatus(try status(input.fields())) }),
        declare(
            "join_user", "user_online", fields: [.required("userId", .id)], dataNote: "`{userId}`, or the id itself",
            effect:
                "signs in by claim where the connection has no user; from then on `user_status_change` with `user_online {userId}`, `user_offline {userId}` beside it, and `online_users_list` at once and on change, at most once a second",
            decode: { (input) throws(ChatError) in .comeOnline(try user(input)) }),
        declare(
            "subscribe_presence", fields: subjectFields,
            dataNote: "`{userIds}`, `{roomIds}`, `{friends: true}` or `{all: true}`",
            effect: "`presence_snapshot {users}`, then `user_status_change` for those users",
            decode: { (input) throws(ChatError) in .watch(try subject(input.fields(), orAnything: false)) }),
        declare(
            "unsubscribe_presence", fields: subjectFields, dataNote: "the same, or nothing for all of it",
            effect: "no more of it",
            decode: { (input) throws(ChatError) in .unwatch(try subject(input.fields(), orAnything: true)) }),
        declare(
            "get_online_count", effect: "`online_count {count, timestamp}`",
            decode: { (_) throws(ChatError) in .countOnline }),
        declare(
            "check_user_status", fields: [.required("targetUserId", .id)],
            effect: "`user_status {userId, online, status, lastSeen}`",
            decode: { (input) throws(ChatError) in
                .check(try input.fields().identifier("targetUserId"), .userStatus)
            }),
        declare(
            "check_user_online", fields: [.required("userId", .id)], dataNote: "`{userId}`, or the id itself",
            effect: "`user_online_status`, likewise",
            decode: { (input) throws(ChatError) in .check(try user(input), .userOnline) }),
        declare(
            "get_all_users", fields: pageFields,
            effect:
                "`all_users {users, timestamp, cursor?}`: everybody ever seen, by id; `cursor` is there when there is more",
            decode: { (input) throws(ChatError) in .listKnown(try page(input)) }),
        declare(
            "get_online_users", fields: pageFields,
            effect:
                "asked for an answer: the caller's online friends, an array; else `online_users_list {users, count, timestamp}`",
            decode: { (input) throws(ChatError) in .listOnline(try page(input)) }),
        declare(
            "get_all_online_users", fields: pageFields,
            effect: "the ids, an array, as the answer or as an event of this name",
            decode: { (input) throws(ChatError) in .listOnlineIDs(try page(input)) }),
        declare(
            "get_detailed_online_users", fields: pageFields,
            effect:
                "users, likewise, oneself among them also when hidden; one's own entry has `devices: [{socketId, connectedAt, lastActivity, instance, userAgent}]`, for services every entry",
            decode: { (input) throws(ChatError) in .listDevices(try page(input)) }),
    ]

    private static func declare(
        _ name: String, _ otherName: String? = nil, fields: [Field] = [], dataNote: String? = nil, effect: String,
        decode: @escaping @Sendable (Input) throws(ChatError) -> PresenceCommand
    ) -> ClientEvent {
        ClientEvent(
            names: [name] + (otherName.map { [$0] } ?? []), fields: fields, dataNote: dataNote, effect: effect,
            decode: { (input) throws(ChatError) in .presence(try decode(input)) })
    }

    private static func status(_ fields: CommandFields) throws(ChatError) -> PresenceStatus {
        let text = try fields.text("status", maximumBytes: 32)
        guard let status = PresenceStatus(rawValue: text) else {
            throw .badRequest("status must be online, away, busy, invisible or offline")
        }
        return status
    }

    /// `{userId}`, or the id itself.
    private static func user(_ input: Input) throws(ChatError) -> UserID {
        if let data = input.data, [.string, .integer, .unsigned].contains(data.kind) {
            return try CommandFields.identifier(data, field: "userId")
        }
        return try input.fields().identifier("userId")
    }

    private static func page(_ input: Input) throws(ChatError) -> PresencePage {
        let fields = try input.fields()
        let limit = try fields.optionalInteger("limit", in: 1...Int64(PresencePage.maximumUsers))
        return PresencePage(
            after: try fields.optionalIdentifier("cursor"), limit: limit.map(Int.init) ?? PresencePage.maximumUsers)
    }

    private static func subject(
        _ fields: CommandFields, orAnything: Bool
    ) throws(ChatError) -> PresenceSubject {
        if fields["userIds"] != nil {
            return .users(try fields.identifiers("userIds", limit: WatchList.maximumUsers))
        }
        if fields["roomIds"] != nil {
            return .rooms(try fields.identifiers("roomIds", limit: WatchList.maximumRooms))
        }
        if fields["friends"] != nil, try fields.bool("friends") { return .friends }
        if fields["all"] != nil, try fields.bool("all") { return .everybody }
        if orAnything { return .anything }
        throw .badRequest("give userIds, roomIds, friends:true or all:true")
    }
}
