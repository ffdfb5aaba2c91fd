import ChatDomain
import JSON

/// Broken-off sessions as they are kept in Redis. Stored data is input: anything in another form is nil.
enum RecoveryCodec {
    /// A larger session is not kept. This is room for 200 rooms with names of usual length and the last 512 broadcasts.
    static let maximumBytes = 32 << 10

    /// nil for a session that is too large.
    static func encode(_ session: RecoverableSession) -> [UInt8]? {
        let rooms = Array(session.newest)
        let places = Dictionary(rooms.enumerated().map { ($1.key, $0) }) { first, _ in first }
        var out = JSONWriter()
        out.object { out in
            out.member("id", session.id.value)
            write(session.user, session.profile, into: &out)
            out.member("verified", session.isVerified)
            out.member("nameVerified", session.isUsernameVerified)
            if let expiry = session.tokenExpiresAt {
                out.member("expiresAt", expiry.milliseconds)
            }
            out.key("rooms")
            out.array(rooms) { out, room in
                out.beginArray()
                out.string(room.key.value)
                out.integer(room.value)
                out.endArray()
            }
            // Rooms that were left since do not matter.
            out.key("sent")
            out.array(session.sent.filter { places[$0.room] != nil }) { out, sent in
                out.array([Int64(places[sent.room] ?? 0), sent.numbers.lowerBound, sent.numbers.upperBound]) {
                    $0.integer($1)
                }
            }
        }
        return out.bytes.count <= maximumBytes ? out.bytes : nil
    }

    private static func write(_ user: RoomUser, _ profile: Profile, into out: inout JSONWriter) {
        out.member("userId", user.userID.value)
        out.member("username", user.username)
        if let name = profile.name {
            out.member("name", name)
        }
        if let email = profile.email {
            out.member("email", email)
        }
        if let avatar = profile.avatar {
            out.member("avatar", avatar)
        }
    }

    static func decode(_ bytes: [UInt8]) -> RecoverableSession? {
        guard bytes.count <= maximumBytes, let root = try? JSONValue(parsing: bytes), let id = root["id"]?.string,
            let userID = root["userId"]?.string.flatMap({ try? UserID(validating: $0, field: "userId") }),
            let username = root["username"]?.string, let isVerified = root["verified"]?.bool,
            let isUsernameVerified = root["nameVerified"]?.bool, let rooms = rooms(root["rooms"]),
            let sent = sent(root["sent"], in: rooms.map(\.0))
        else { return nil }
        return RecoverableSession(
            id: SessionID(id), user: RoomUser(userID: userID, username: username),
            profile: Profile(
                name: root["name"]?.string, email: root["email"]?.string, avatar: root["avatar"]?.string),
            isVerified: isVerified, isUsernameVerified: isUsernameVerified,
            tokenExpiresAt: root["expiresAt"]?.integer.map { Timestamp(milliseconds: $0) },
            newest: Dictionary(rooms) { first, _ in first }, sent: sent)
    }

    private static func rooms(_ value: JSONValue?) -> [(RoomID, SequenceNumber)]? {
        guard let items = value?.array else { return nil }
        let rooms = items.compactMap { item -> (RoomID, SequenceNumber)? in
            guard let name = item[0]?.string, let room = try? RoomID(validating: name, field: "roomId"),
                let newest = MessageNumbers.boundary(item[1]?.integer)
            else { return nil }
            return (room, newest)
        }
        return rooms.count == items.count ? rooms : nil
    }

    private static func sent(_ value: JSONValue?, in rooms: [RoomID]) -> [RecoverableSession.Sent]? {
        guard let items = value?.array else { return nil }
        let sent = items.compactMap { item -> RecoverableSession.Sent? in
            guard let place = item[0]?.integer.flatMap({ Int(exactly: $0) }), rooms.indices.contains(place),
                let first = MessageNumbers.message(item[1]?.integer),
                let last = MessageNumbers.message(item[2]?.integer), first <= last
            else { return nil }
            return .init(room: rooms[place], numbers: first...last)
        }
        return sent.count == items.count ? sent : nil
    }
}
