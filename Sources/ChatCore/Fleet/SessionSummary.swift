import ChatDomain
import ChatProtocol
import JSON

/// One session for operators.
package struct SessionSummary: Hashable, Sendable {
    /// Rooms that are listed at most.
    package static let maximumRooms = 5

    package var id: SessionID
    package var instance: InstanceID
    /// nil until it is known.
    package var user: RoomUser?
    package var address: String?
    /// `socket.io`, `event` or `type`.
    package var framing: String
    package var userAgent: String?
    package var connectedAt: Timestamp
    package var lastActiveAt: Timestamp
    /// Bytes on their way to the client that it has not taken.
    package var queuedBytes: Int
    package var rooms: [RoomID]
    package var roomCount: Int
}

extension SessionSummary {
    /// nil for what is no session.
    init?(_ root: JSONValue, on instance: InstanceID) {
        guard let id = root["socketId"]?.string, let framing = root["framing"]?.string,
            let connectedAt = root["connectedAt"]?.string.flatMap({ Timestamp(iso8601: $0) }),
            let lastActiveAt = root["lastActivity"]?.string.flatMap({ Timestamp(iso8601: $0) }),
            let queuedBytes = root.count("queuedBytes", in: 0...Int.max),
            let roomCount = root.count("roomCount", in: 0...Int.max), let rooms = root["rooms"]?.array
        else { return nil }
        let user = root["userId"]?.string.flatMap { try? UserID(validating: $0, field: "userId") }
        self.init(
            id: SessionID(id), instance: instance,
            user: user.map { RoomUser(userID: $0, username: root["username"]?.string ?? $0.value) },
            address: root["address"]?.string, framing: framing, userAgent: root["userAgent"]?.string,
            connectedAt: connectedAt, lastActiveAt: lastActiveAt, queuedBytes: queuedBytes,
            rooms: rooms.prefix(Self.maximumRooms).compactMap(\.string).map { RoomID(unchecked: $0) },
            roomCount: roomCount)
    }

    package func write(into out: inout JSONWriter) {
        out.member("socketId", id.value)
        out.member("instance", instance.value)
        out.member("userId", user?.userID.value)
        out.member("username", user?.username)
        out.member("address", address)
        out.member("framing", framing)
        out.member("userAgent", userAgent)
        out.member("connectedAt", connectedAt.iso8601)
        out.member("lastActivity", lastActiveAt.iso8601)
        out.member("queuedBytes", queuedBytes)
        out.key("rooms")
        out.array(rooms) { $0.string($1.value) }
        out.member("roomCount", roomCount)
    }
}

/// Which sessions are listed first. The raw value is the name in the query of a request.
package enum SessionOrder: String, CaseIterable, Sendable {
    /// Those that are connected longest.
    case connectedAt
    /// Those that were quiet longest.
    case lastActivity
    /// Those with most bytes queued.
    case queuedBytes
    case userId

    func isAscending(_ a: SessionSummary, _ b: SessionSummary) -> Bool {
        switch self {
        case .connectedAt: (a.connectedAt, a.id.value) < (b.connectedAt, b.id.value)
        case .lastActivity: (a.lastActiveAt, a.id.value) < (b.lastActiveAt, b.id.value)
        case .queuedBytes: (b.queuedBytes, a.id.value) < (a.queuedBytes, b.id.value)
        case .userId: (a.user?.userID.value ?? "", a.id.value) < (b.user?.userID.value ?? "", b.id.value)
        }
    }
}

/// Which sessions are asked for.
package struct SessionQuery: Hashable, Sendable {
    package static let limits = 1...200

    package var user: UserID?
    package var room: RoomID?
    /// A part of the user's id or name.
    package var filter: TextFilter?
    package var order = SessionOrder.connectedAt
    package var limit: Int

    package init(
        user: UserID? = nil, room: RoomID? = nil, filter: TextFilter? = nil, order: SessionOrder = .connectedAt,
        limit: Int
    ) {
        self.user = user
        self.room = room
        self.filter = filter
        self.order = order
        self.limit = limit
    }

    /// nil for what is no query.
    init?(_ root: JSONValue) {
        guard let limit = root.count("limit", in: Self.limits),
            let order = root["order"]?.string.flatMap(SessionOrder.init)
        else { return nil }
        self.init(
            user: root["user"]?.string.flatMap { try? UserID(validating: $0, field: "user") },
            room: root["room"]?.string.flatMap { try? RoomID(validating: $0, field: "room") },
            filter: root.filter, order: order, limit: limit)
    }

    func write(into out: inout JSONWriter) {
        out.member("user", user?.value)
        out.member("room", room?.value)
        out.member("text", filter?.text)
        out.member("order", order.rawValue)
        out.member("limit", limit)
    }

    func matches(_ user: RoomUser?) -> Bool {
        if let wanted = self.user, wanted != user?.userID { return false }
        guard let filter else { return true }
        return user.map { filter.matches($0.userID.value) || filter.matches($0.username) } ?? false
    }
}

/// The first sessions in an order, and how many there are in all.
package struct SessionPage: Sendable {
    private let order: SessionOrder
    private let limit: Int
    package private(set) var total = 0
    private var gathered: [SessionSummary] = []

    package init(_ query: SessionQuery) {
        order = query.order
        limit = query.limit
    }

    package var sessions: [SessionSummary] { Array(gathered.sorted(by: order.isAscending).prefix(limit)) }

    mutating func add(_ session: SessionSummary) {
        total += 1
        gathered.append(session)
        if gathered.count >= 2 * limit + 64 { gathered = sessions }
    }

    package mutating func add(_ other: Self) {
        total += other.total
        gathered = sessions + other.sessions
    }

    /// Adds an instance's answer; what is no session is left out.
    package mutating func add(_ answer: FleetAnswer) {
        let found = (answer.root["sessions"]?.array ?? []).prefix(limit)
            .compactMap { SessionSummary($0, on: answer.instance) }
        total += max(found.count, answer.root.count("total", in: 0...1_000_000_000) ?? 0)
        gathered = sessions + found
    }

    package func write(into out: inout JSONWriter) {
        out.key("sessions")
        out.array(sessions) { out, session in out.object { session.write(into: &$0) } }
        out.member("total", total)
    }
}
