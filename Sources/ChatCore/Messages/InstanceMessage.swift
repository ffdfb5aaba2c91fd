import ChatProtocol
import ChatDomain
import JSON

/// Messages a user sent on one instance.
package struct UserUsage: Hashable, Sendable {
    package var user: UserID
    package var count: Int
}

/// Names a forwarded piece of a room's write.
package struct RoomTicket: Hashable, Sendable {
    package var room: RoomID
    package var number: UInt64
    /// The instance that sends the message with this ticket.
    package var sender: InstanceID
    /// The shard that gave the number.
    package var shard: UInt16
}

/// A message of one instance to another.
package enum InstanceMessage: Hashable, Sendable {
    case close(SessionID, of: UserID, Ending)
    case friendship(UserID, UserID, isFriend: Bool)
    /// A message straight to sessions of these users; its data is JSON text.
    case direct([UserID], [UInt8])
    /// A client is back on another instance: the instance where its session is open ends it and reports that.
    case release(RecoveryKey, to: InstanceID)
    case released(RecoveryKey)
    /// Users' usage of their message allowance.
    case usage([UserUsage])
    /// The store has changed a room: the asking instance is answered once that is in force here.
    case roomChanged(RoomID, RoomChange, ChangeNotice)
    /// The store has changed what holds for a user: the same.
    case userChanged(UserID, ChangeNotice)
    case changeApplied(UInt64, by: InstanceID)
    /// How far a user has read, for the user's sessions.
    case read(ReadMark, in: RoomID)
    /// A piece of a room's write, for the instance that numbers the room; see `RoomWriteCodec`.
    case forward(RoomTicket, write: [UInt8])
    /// The outcome of a forwarded piece.
    case outcome(RoomTicket, outcome: [UInt8])
    /// A forwarded piece waits for the store.
    case progress(RoomTicket)
    /// A question about the instance; see `FleetQuestion`.
    case question(FleetTicket, [UInt8])
    /// The answer to a question, as JSON text.
    case answer(FleetTicket, by: InstanceID, [UInt8])

    package enum Ending: String, Sendable {
        /// A newer connection of the user took its place.
        case replaced
        /// A service logged the user out.
        case loggedOut
    }

    package init?(decoding payload: [UInt8]) {
        guard let root = try? JSONValue(parsing: payload) else { return nil }
        func user(_ name: String) -> UserID? {
            root[name]?.string.flatMap { try? UserID(validating: $0, field: name) }
        }
        switch root["kind"]?.string {
        case "close":
            guard let session = root["session"]?.string, let user = user("user"),
                let ending = root["ending"]?.string.flatMap(Ending.init)
            else { return nil }
            self = .close(SessionID(session), of: user, ending)
        case "friendship":
            guard let a = user("user"), let b = user("friend"), let isFriend = root["isFriend"]?.bool else {
                return nil
            }
            self = .friendship(a, b, isFriend: isFriend)
        case "direct":
            guard let data = root["data"]?.string, let names = root["users"]?.array else { return nil }
            self = .direct(
                names.compactMap { $0.string }.compactMap { try? UserID(validating: $0, field: "users") },
                Array(data.utf8))
        case "release":
            guard let key = root["key"]?.string.flatMap(RecoveryKey.init), let asker = root["to"]?.string else {
                return nil
            }
            self = .release(key, to: InstanceID(asker))
        case "released":
            guard let key = root["key"]?.string.flatMap(RecoveryKey.init) else { return nil }
            self = .released(key)
        case "spent":
            guard let names = root["users"]?.array, let counts = root["counts"]?.array, names.count == counts.count
            else {
                return nil
            }
            self = .usage(
                zip(names, counts).compactMap { name, count in
                    guard let user = name.string.flatMap({ try? UserID(validating: $0, field: "users") }),
                        let count = count.exactInteger.flatMap({ Int(exactly: $0) }), 1...100_000 ~= count
                    else { return nil }
                    return UserUsage(user: user, count: count)
                })
        case "roomChanged":
            guard let room = Self.room(root), let change = RoomChange(root), let teller = root["teller"]?.string,
                let ticket = Self.count(root["ticket"])
            else { return nil }
            self = .roomChanged(room, change, ChangeNotice(teller: InstanceID(teller), ticket: ticket))
        case "userChanged":
            guard let user = user("user"), let teller = root["teller"]?.string, let ticket = Self.count(root["ticket"])
            else { return nil }
            self = .userChanged(user, ChangeNotice(teller: InstanceID(teller), ticket: ticket))
        case "changeApplied":
            guard let ticket = Self.count(root["ticket"]), let instance = root["by"]?.string else { return nil }
            self = .changeApplied(ticket, by: InstanceID(instance))
        case "read":
            guard let room = Self.room(root), let user = user("userId"), let sequence = Self.count(root["seq"])
            else { return nil }
            self = .read(ReadMark(userID: user, sequence: SequenceNumber(clamping: sequence)), in: room)
        case "forward":
            guard let ticket = Self.ticket(root), let data = root["data"]?.string else { return nil }
            self = .forward(ticket, write: Array(data.utf8))
        case "outcome":
            guard let ticket = Self.ticket(root), let data = root["data"]?.string else { return nil }
            self = .outcome(ticket, outcome: Array(data.utf8))
        case "progress":
            guard let ticket = Self.ticket(root) else { return nil }
            self = .progress(ticket)
        case "question":
            guard let ticket = Self.fleetTicket(root), let data = root["data"]?.string else { return nil }
            self = .question(ticket, Array(data.utf8))
        case "answer":
            guard let ticket = Self.fleetTicket(root), let instance = root["by"]?.string,
                let data = root["data"]?.string
            else { return nil }
            self = .answer(ticket, by: InstanceID(instance), Array(data.utf8))
        default: return nil
        }
    }

    private static func ticket(_ root: JSONValue) -> RoomTicket? {
        guard let room = room(root), let number = count(root["ticket"]), let sender = root["from"]?.string,
            let shard = count(root["shard"]).flatMap({ UInt16(exactly: $0) })
        else { return nil }
        return RoomTicket(room: room, number: number, sender: InstanceID(sender), shard: shard)
    }

    private static func fleetTicket(_ root: JSONValue) -> FleetTicket? {
        guard let number = count(root["ticket"]), let asker = root["asker"]?.string else { return nil }
        return FleetTicket(asker: InstanceID(asker), number: number)
    }

    private static func room(_ root: JSONValue) -> RoomID? {
        root["roomId"]?.string.flatMap { try? RoomID(validating: $0, field: "roomId") }
    }

    private static func count(_ value: JSONValue?) -> UInt64? { value?.integer.flatMap { UInt64(exactly: $0) } }

    package var encoded: [UInt8] {
        EventJSON.object { out in
            out.key("kind")
            switch self {
            case .close(let session, let user, let ending):
                out.string("close")
                out.member("session", session.value)
                out.member("user", user.value)
                out.member("ending", ending.rawValue)
            case .friendship(let a, let b, let isFriend):
                out.string("friendship")
                out.member("user", a.value)
                out.member("friend", b.value)
                out.member("isFriend", isFriend)
            case .direct(let users, let data):
                out.string("direct")
                out.key("users")
                out.array(users) { $0.string($1.value) }
                out.member("data", String(decoding: data, as: UTF8.self))
            case .release(let key, let asker):
                out.string("release")
                out.member("key", key.text)
                out.member("to", asker.value)
            case .released(let key):
                out.string("released")
                out.member("key", key.text)
            case .usage(let usages):
                out.string("spent")
                out.key("users")
                out.array(usages) { $0.string($1.user.value) }
                out.key("counts")
                out.array(usages) { $0.integer(Int64($1.count)) }
            case .roomChanged(let room, let change, let notice):
                out.string("roomChanged")
                out.member("roomId", room.value)
                out.change(change)
                out.member("teller", notice.teller.value)
                out.member("ticket", Int64(clamping: notice.ticket))
            case .userChanged(let user, let notice):
                out.string("userChanged")
                out.member("user", user.value)
                out.member("teller", notice.teller.value)
                out.member("ticket", Int64(clamping: notice.ticket))
            case .changeApplied(let ticket, let instance):
                out.string("changeApplied")
                out.member("ticket", Int64(clamping: ticket))
                out.member("by", instance.value)
            case .read(let mark, let room):
                out.string("read")
                out.member("roomId", room.value)
                out.mark(mark)
            case .forward(let ticket, let write):
                out.string("forward")
                out.ticket(ticket)
                out.member("data", String(decoding: write, as: UTF8.self))
            case .outcome(let ticket, let outcome):
                out.string("outcome")
                out.ticket(ticket)
                out.member("data", String(decoding: outcome, as: UTF8.self))
            case .progress(let ticket):
                out.string("progress")
                out.ticket(ticket)
            case .question(let ticket, let question):
                out.string("question")
                out.ticket(ticket)
                out.member("data", String(decoding: question, as: UTF8.self))
            case .answer(let ticket, let instance, let answer):
                out.string("answer")
                out.ticket(ticket)
                out.member("by", instance.value)
                out.member("data", String(decoding: answer, as: UTF8.self))
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func ticket(_ ticket: RoomTicket) {
        member("roomId", ticket.room.value)
        member("ticket", Int64(clamping: ticket.number))
        member("from", ticket.sender.value)
        member("shard", Int64(ticket.shard))
    }

    fileprivate mutating func ticket(_ ticket: FleetTicket) {
        member("asker", ticket.asker.value)
        member("ticket", Int64(clamping: ticket.number))
    }
}
