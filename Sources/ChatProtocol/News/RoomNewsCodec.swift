import ChatDomain
import JSON

/// Room news as other instances, and other services, read it: one JSON object,
/// `{"instance":…,"type":…,"data":…}`, where a `new_message`'s data is what clients get.
package enum RoomNewsCodec {
    /// How deep news may nest: a message's metadata is nested deeper in it than in the frame that brought it.
    package static let maximumDepth = 64

    package static func encode(_ news: RoomNews, from instance: InstanceID, in room: RoomID) -> [UInt8] {
        EventJSON.object { out in
            out.member("instance", instance.value)
            out.key("type")
            switch news {
            case .message(let message):
                out.string("new_message")
                out.key("data")
                MessageJSON.encode(message, into: &out)
            case .change(let change):
                out.string("\(ChangeJSON.event(of: change))")
                out.key("data")
                ChangeJSON.encodeForInstances(change, into: &out)
            case .joined(let user):
                out.string("user_joined")
                out.data { $0.user(user) }
            case .left(let user):
                out.string("user_left")
                out.data { $0.member("userId", user.value) }
            case .typing(let user, let isTyping):
                out.string("user_typing")
                out.data { out in
                    out.user(user)
                    out.member("isTyping", isTyping)
                }
            case .read(let user, let sequence):
                out.string("message_read")
                out.data { out in
                    out.user(user)
                    out.member("seq", sequence)
                }
            case .present(let digest):
                out.string("roster_digest")
                out.data { out in
                    out.member("count", Int64(digest.count))
                    // As text: it has all of its 64 bits.
                    out.member("sum", String(digest.sum, radix: 16))
                }
            case .rewound(let sequence):
                out.string("room_rewound")
                out.data { out in
                    out.member("seq", sequence)
                }
            case .roster(let users, let asks):
                out.string("roster")
                out.data { out in
                    out.member("asks", asks)
                    out.key("users")
                    out.array(users) { out, user in out.object { $0.user(user) } }
                }
            case .participant(let user):
                out.string("participant")
                out.data { $0.member("userId", user.value) }
            }
        }
    }

    /// nil for anything this server would not have written.
    package static func decode(_ root: JSONElement, in room: RoomID) -> (InstanceID, RoomNews)? {
        guard let instance = root["instance"]?.string, let type = root["type"]?.string, let data = root["data"] else {
            return nil
        }
        return news(type, data, in: room).map { (InstanceID(instance), $0) }
    }

    private static func news(_ type: String, _ data: JSONElement, in room: RoomID) -> RoomNews? {
        switch type {
        case "new_message": return MessageJSON.decode(data, in: room).map(RoomNews.message)
        case "message_edited", "message_deleted", "message_reaction", "message_pinned":
            return ChangeJSON.decode(type, data, in: room).map(RoomNews.change)
        case "user_joined": return user(data).map(RoomNews.joined)
        case "user_left": return userID(data["userId"]).map(RoomNews.left)
        case "user_typing":
            guard let user = user(data), let isTyping = data["isTyping"]?.bool else { return nil }
            return .typing(user, isTyping: isTyping)
        case "message_read":
            guard let user = user(data), let sequence = MessageNumbers.message(data["seq"]?.integer) else { return nil }
            return .read(user, sequence)
        case "roster_digest":
            guard let count = data["count"]?.integer.flatMap({ Int(exactly: $0) }),
                let sum = data["sum"]?.string.flatMap({ UInt64($0, radix: 16) })
            else { return nil }
            return .present(RosterDigest(count: count, sum: sum))
        case "room_rewound":
            guard let sequence = MessageNumbers.boundary(data["seq"]?.integer) else { return nil }
            return .rewound(to: sequence)
        case "roster":
            guard let users = data["users"], users.kind == .array else { return nil }
            return .roster(users.elements.compactMap(user), asks: data["asks"]?.bool ?? false)
        case "participant": return userID(data["userId"]).map(RoomNews.participant)
        default: return nil
        }
    }

    private static func user(_ data: JSONElement) -> RoomUser? {
        guard let id = userID(data["userId"]), let name = data["username"]?.string else { return nil }
        return RoomUser(userID: id, username: name)
    }

    private static func userID(_ value: JSONElement?) -> UserID? {
        value?.string.flatMap { try? UserID(validating: $0, field: "userId") }
    }
}

extension JSONWriter {
    fileprivate mutating func data(_ members: (inout JSONWriter) -> Void) {
        key("data")
        object(members)
    }
}
