import ChatDomain
import ChatProtocol
import JSON

/// One room with sessions, for operators.
package struct RoomSummary: Hashable, Sendable {
    package var id: RoomID
    package var sessions: Int
    /// The newest number that sessions were sent or shown.
    package var lastSequence: SequenceNumber
    package var instances: Set<InstanceID>

    package init(id: RoomID, sessions: Int, lastSequence: SequenceNumber, instances: Set<InstanceID>) {
        self.id = id
        self.sessions = sessions
        self.lastSequence = lastSequence
        self.instances = instances
    }

    /// nil for what is no room.
    fileprivate init?(_ root: JSONValue, on instance: InstanceID) {
        guard let id = root["roomId"]?.string.flatMap({ try? RoomID(validating: $0, field: "roomId") }),
            let sessions = root.count("sessions", in: 0...1_000_000_000)
        else { return nil }
        self.init(
            id: id, sessions: sessions, lastSequence: MessageNumbers.mark(root["lastSeq"]?.integer),
            instances: [instance])
    }

    fileprivate mutating func add(_ other: Self) {
        sessions += other.sessions
        lastSequence = max(lastSequence, other.lastSequence)
        instances.formUnion(other.instances)
    }

    package func write(into out: inout JSONWriter) {
        out.member("roomId", id.value)
        out.member("sessions", sessions)
        out.member("lastSeq", lastSequence)
        out.key("instances")
        out.array(instances.map(\.value).sorted()) { $0.string($1) }
    }
}

/// Which rooms are listed first. The raw value is the name in the query of a request.
package enum RoomOrder: String, CaseIterable, Sendable {
    /// Those with most sessions.
    case sessions
    case roomId
    /// Those with the highest number.
    case lastSeq

    func isAscending(_ a: RoomSummary, _ b: RoomSummary) -> Bool {
        switch self {
        case .sessions: a.sessions == b.sessions ? a.id < b.id : a.sessions > b.sessions
        case .roomId: a.id < b.id
        case .lastSeq: a.lastSequence == b.lastSequence ? a.id < b.id : a.lastSequence > b.lastSequence
        }
    }
}

/// Which rooms are asked for.
package struct RoomQuery: Hashable, Sendable {
    package static let limits = 1...200

    /// A part of the id.
    package var filter: TextFilter?
    package var order = RoomOrder.sessions
    package var limit: Int

    package init(filter: TextFilter? = nil, order: RoomOrder = .sessions, limit: Int) {
        self.filter = filter
        self.order = order
        self.limit = limit
    }

    /// nil for what is no query.
    init?(_ root: JSONValue) {
        guard let limit = root.count("limit", in: Self.limits),
            let order = root["order"]?.string.flatMap(RoomOrder.init)
        else { return nil }
        self.init(filter: root.filter, order: order, limit: limit)
    }

    func write(into out: inout JSONWriter) {
        out.member("text", filter?.text)
        out.member("order", order.rawValue)
        out.member("limit", limit)
    }
}

/// The first rooms in an order. A room on several loops or instances is listed once, with the sum of its sessions.
package struct RoomPage: Sendable {
    private let order: RoomOrder
    private let limit: Int
    private var gathered: [RoomID: RoomSummary] = [:]
    /// Rooms that were found and are not listed. A room that was left out on several loops or instances counts as often.
    private var leftOut = 0

    package init(_ query: RoomQuery) {
        order = query.order
        limit = query.limit
    }

    package var rooms: [RoomSummary] { Array(gathered.values.sorted(by: order.isAscending).prefix(limit)) }

    /// Exact where all rooms are listed; else not less than the number of rooms.
    package var total: Int { gathered.count + leftOut }

    mutating func add(_ room: RoomSummary) {
        if gathered[room.id]?.add(room) == nil { gathered[room.id] = room }
        if gathered.count >= 2 * limit + 64 { cut() }
    }

    package mutating func add(_ other: Self) {
        for room in other.gathered.values { add(room) }
        leftOut += other.leftOut
    }

    /// Adds an instance's answer; what is no room is left out.
    package mutating func add(_ answer: FleetAnswer) {
        let listed = answer.root["rooms"]?.array ?? []
        for room in listed.prefix(limit).compactMap({ RoomSummary($0, on: answer.instance) }) { add(room) }
        let total = answer.root.count("total", in: 0...1_000_000_000) ?? 0
        leftOut += max(0, total - min(limit, listed.count))
    }

    private mutating func cut() {
        let kept = rooms
        leftOut += gathered.count - kept.count
        gathered = Dictionary(kept.map { ($0.id, $0) }) { first, _ in first }
    }

    package func write(into out: inout JSONWriter) {
        out.key("rooms")
        out.array(rooms) { out, room in out.object { room.write(into: &$0) } }
        out.member("total", total)
    }
}
