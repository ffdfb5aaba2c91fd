import ChatDomain
import JSON

/// Commands about who is there.
extension CommandDecoder {
    /// nil for an event that is none of these.
    package static func presence(
        event: String, data: JSONElement?, limits: CommandLimits
    ) throws(ChatError) -> PresenceCommand? {
        switch event {
        case "set_status": .setStatus(try status(CommandFields(data, limits: limits)))
        case "join_user", "user_online": .comeOnline(try user(data, limits))
        case "get_online_count": .countOnline
        case "check_user_status":
            .check(try CommandFields(data, limits: limits).identifier("targetUserId"), .userStatus)
        case "check_user_online": .check(try user(data, limits), .userOnline)
        case "get_all_users": .listKnown(try page(data, limits))
        case "get_online_users": .listOnline(try page(data, limits))
        case "get_all_online_users": .listOnlineIDs(try page(data, limits))
        case "get_detailed_online_users": .listDevices(try page(data, limits))
        case "subscribe_presence":
            .watch(try subject(CommandFields(data, limits: limits), orAnything: false))
        case "unsubscribe_presence":
            .unwatch(try subject(CommandFields(data, limits: limits), orAnything: true))
        default: nil
        }
    }

    private static func status(_ fields: CommandFields) throws(ChatError) -> PresenceStatus {
        let text = try fields.text("status", maximumBytes: 32)
        guard let status = PresenceStatus(rawValue: text) else {
            throw .badRequest("status must be online, away, busy, invisible or offline")
        }
        return status
    }

    /// `{userId}`, or the id itself.
    private static func user(_ data: JSONElement?, _ limits: CommandLimits) throws(ChatError) -> UserID {
        if let data, [.string, .integer, .unsigned].contains(data.kind) {
            return try CommandFields.identifier(data, field: "userId")
        }
        return try CommandFields(data, limits: limits).identifier("userId")
    }

    private static func page(_ data: JSONElement?, _ limits: CommandLimits) throws(ChatError) -> PresencePage {
        let fields = try CommandFields(data, limits: limits)
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
