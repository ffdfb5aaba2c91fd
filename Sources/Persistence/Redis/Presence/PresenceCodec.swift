import ChatDomain
import JSON
import RedisLink
import Synchronization

/// Sessions and users' presence as the scripts keep them. Stored data is input: anything in another form is nil.
enum PresenceCodec {
    static func encode(_ record: SessionRecord) -> [UInt8] {
        var out = JSONWriter()
        out.object { out in
            out.member("instance", record.instance.value)
            out.member("username", record.user.username)
            if let agent = record.userAgent {
                out.member("userAgent", agent)
            }
            out.member("connectedAt", record.connectedAt.milliseconds)
            out.member("lastActiveAt", record.lastActiveAt.milliseconds)
            out.member("wish", record.requestedStatus.rawValue)
            out.member("idle", record.isIdle)
            out.member("lingering", record.isDisconnected)
        }
        return out.bytes
    }

    /// - Returns: the session, and its place in the order of all sessions; 0 for a session that Redis has not numbered.
    static func record(_ id: SessionID, of user: UserID, _ bytes: [UInt8]) -> (record: SessionRecord, order: Int64)? {
        guard let root = try? JSONValue(parsing: bytes), let instance = root["instance"]?.string,
            let username = root["username"]?.string,
            let requestedStatus = root["wish"]?.string.flatMap(PresenceStatus.init),
            let connectedAt = time(root["connectedAt"]), let lastActiveAt = time(root["lastActiveAt"])
        else { return nil }
        var record = SessionRecord(
            id: id, instance: InstanceID(instance), user: RoomUser(userID: user, username: username),
            userAgent: root["userAgent"]?.string, connectedAt: connectedAt, requestedStatus: requestedStatus)
        record.lastActiveAt = lastActiveAt
        record.isIdle = root["idle"]?.bool ?? false
        record.isDisconnected = root["lingering"]?.bool ?? false
        guard let order = root["order"] else { return (record, 0) }
        return order.exactInteger.map { (record, $0) }
    }

    /// A user's presence as it is stored.
    static func statement(of user: UserID, _ bytes: [UInt8]) -> PresenceStatement? {
        read(bytes) { root in
            guard let name = root["name"]?.string,
                let presence = presence(user, name, root, lastSeen: root["seen"])
            else { return nil }
            return PresenceStatement(presence: presence, version: version(root))
        }
    }

    enum News {
        /// - Parameter before: the user's own status before; nil from an instance of an earlier version of the service.
        case changed(PresenceStatement, before: PresenceStatus?, origin: InstanceID)
        case lost(InstanceID)
    }

    /// A message on the channel of changes.
    static func news(_ payload: [UInt8]) -> News? {
        read(payload) { root in
            guard let kind = root["kind"] else { return nil }
            if kind.equals("lost") { return root["instance"]?.string.map { .lost(InstanceID($0)) } }
            guard kind.equals("changed"), let id = root["userId"]?.string,
                let user = try? UserID(validating: id, field: "userId"),
                let origin = root["origin"]?.string, let name = root["username"]?.string,
                let presence = presence(user, name, root, lastSeen: root["lastSeen"])
            else { return nil }
            return .changed(
                PresenceStatement(presence: presence, version: version(root)), before: status(root["was"]),
                origin: InstanceID(origin))
        }
    }

    /// A parser for each text would cost more than the reading. What is longer than any presence gets one of its own, so that this one
    /// stays small.
    private static let parser = Mutex(JSONParser())
    private static let longestText = 16 * 1024

    private static func read<Value: Sendable>(_ text: [UInt8], _ body: @Sendable (JSONElement) -> Value?) -> Value? {
        guard text.count <= longestText else { return read(text, JSONParser(), body) }
        return parser.withLock { read(text, $0, body) }
    }

    private static func read<Value: Sendable>(
        _ text: [UInt8], _ parser: JSONParser, _ body: @Sendable (JSONElement) -> Value?
    ) -> Value? {
        text.withUnsafeBytes { bytes in (try? parser.parse(bytes)).flatMap(body) }
    }

    /// A text, as scripts write numbers with fewer digits.
    private static func version(_ root: JSONElement) -> Int64? { root["version"]?.string.flatMap { Int64($0) } }

    private static func status(_ element: JSONElement?) -> PresenceStatus? {
        element?.string.flatMap(PresenceStatus.init)
    }

    private static func presence(
        _ user: UserID, _ name: String, _ root: JSONElement, lastSeen: JSONElement?
    ) -> UserPresence? {
        guard let own = status(root["own"]), let lastSeen = time(lastSeen.map(JSONValue.init)),
            let sessions = root["sessions"].map(JSONValue.init)?.exactInteger.flatMap({ Int(exactly: $0) }),
            sessions >= 0
        else { return nil }
        return UserPresence(
            user: RoomUser(userID: user, username: name), actualStatus: own, lastSeen: lastSeen, sessions: sessions)
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        value?.exactInteger.map { Timestamp(milliseconds: $0) }
    }
}
