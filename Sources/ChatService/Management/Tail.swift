import ChatDomain
import HTTPClient
import JSON
import Telemetry

/// Follows the messages of a room, or of a user's rooms, and their changes, by reading the pages behind the last number seen.
struct Tail: Sendable {
    /// Rooms of a user that are followed at once.
    private static let maximumRooms = 200
    private static let pageSize = 1000

    /// The last numbers that were read of a room.
    struct Position: Equatable, Sendable {
        var message: Int64
        var change: Int64
    }

    private let request: TailRequest
    private let server: ManagementClient
    private let printsJSON: Bool
    private let print: @Sendable (String) -> Void
    private let complain: @Sendable (String) -> Void
    /// Rooms made since then are read from their beginning. Another host's clock may be a little behind.
    private let start = Timestamp(milliseconds: WallClock.milliseconds() - 5000)

    init(
        _ request: TailRequest, _ server: ManagementClient, printsJSON: Bool,
        print: @escaping @Sendable (String) -> Void, complain: @escaping @Sendable (String) -> Void
    ) {
        self.request = request
        self.server = server
        self.printsJSON = printsJSON
        self.print = print
        self.complain = complain
    }

    /// Until the process ends, or a failure that does not pass.
    func run() async throws(ManagementError) {
        var positions = try await begin()
        var isAway = false
        while true {
            do throws(ManagementError) {
                try await look(&positions)
                isAway = false
            } catch {
                guard error.isPassing else { throw error }
                if !isAway { complain("\(error); trying again") }
                isAway = true
            }
            try? await Task.sleep(for: request.interval)
        }
    }

    private func begin() async throws(ManagementError) -> [String: Position] {
        guard let room = request.room else {
            return try await userRooms().mapValues { Position(message: $0.last, change: $0.last) }
        }
        let answer = try await server.call(.get, ["api", "rooms", room]).json()
        let last = answer["room"]?["lastSeq"]?.integer ?? 0
        if request.last > 0 {
            // Messages that come meanwhile are left to the first look.
            let query = [QueryItem("limit", "\(request.last)"), QueryItem("before", "\(last + 1)")]
            let page = try await server.call(.get, ["api", "chat", room, "history"], query: query).json()
            for message in page["messages"]?.array ?? [] { show("message", message) }
        }
        return [room: Position(message: last, change: last)]
    }

    /// The rooms of the user.
    private func userRooms() async throws(ManagementError) -> [String: (last: Int64, isNew: Bool)] {
        guard let user = request.user else { return [:] }
        let query = [QueryItem("limit", "\(Self.maximumRooms)")]
        let page = try await server.call(.get, ["api", "rooms"], query: query, actingFor: user).json()
        var rooms: [String: (last: Int64, isNew: Bool)] = [:]
        for room in page["rooms"]?.array ?? [] {
            guard let id = room["roomId"]?.string else { continue }
            let madeAt = Timestamp(milliseconds: room["createdAt"]?.integer ?? 0)
            rooms[id] = (max(0, room["lastSeq"]?.integer ?? 0), madeAt >= start)
        }
        return rooms
    }

    private func look(_ positions: inout [String: Position]) async throws(ManagementError) {
        guard request.room == nil else {
            for room in positions.keys { positions[room] = try await read(room, positions[room]) }
            return
        }
        let rooms = try await userRooms()
        positions = positions.filter { rooms[$0.key] != nil }
        for (room, (last, isNew)) in rooms {
            // Of an old room that came to the list, the number that brought it there is read.
            let beginning = isNew ? 0 : max(0, last - 1)
            let position = positions[room] ?? Position(message: beginning, change: beginning)
            positions[room] = position
            guard last > min(position.message, position.change) else { continue }
            let new = try await read(room, position)
            positions[room] = Position(message: max(new.message, last), change: max(new.change, last))
        }
    }

    /// Shows what is behind a position, and returns the new one.
    private func read(_ room: String, _ position: Position?) async throws(ManagementError) -> Position {
        var position = position ?? Position(message: 0, change: 0)
        var hasMore = true
        while hasMore {
            let page = try await page(room, "history", after: position.message)
            for message in page["messages"]?.array ?? [] { show("message", message) }
            (position.message, hasMore) = Self.next(page, after: position.message)
        }
        hasMore = true
        while hasMore {
            let page = try await page(room, "changes", after: position.change)
            for message in page["messages"]?.array ?? [] { show("change", message) }
            (position.change, hasMore) = Self.next(page, after: position.change)
        }
        return position
    }

    private func page(_ room: String, _ kind: String, after: Int64) async throws(ManagementError) -> JSONValue {
        let query = [QueryItem("after", "\(after)"), QueryItem("limit", "\(Self.pageSize)")]
        return try await server.call(.get, ["api", "chat", room, kind], query: query).json()
    }

    /// The number behind a page, and whether another page follows. A page that does not advance has none.
    static func next(_ page: JSONValue, after: Int64) -> (Int64, hasMore: Bool) {
        let isEmpty = page["messages"]?.array?.isEmpty ?? true
        let last = isEmpty ? after : max(after, page["lastSeq"]?.integer ?? after)
        return (last, page["hasMore"]?.bool == true && last > after)
    }

    private func show(_ type: String, _ message: JSONValue) {
        if let user = request.user, message["userId"]?.string != user { return }
        if printsJSON {
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("type", type)
                writer.key("message")
                writer.value(message)
            }
            return print(String(decoding: writer.bytes, as: UTF8.self))
        }
        print(Self.line(type, message))
    }

    static func line(_ type: String, _ message: JSONValue) -> String {
        let isChange = type == "change"
        let milliseconds = isChange ? message["editedAt"]?.integer : nil
        let time = (milliseconds ?? message["timestamp"]?.integer).map { Timestamp(milliseconds: $0).iso8601 } ?? "-"
        let place = "\(message["roomId"]?.string ?? "-") #\(message["seq"]?.integer ?? 0)"
        let author = message["userId"]?.string ?? "-"
        let text = message["message"]?.string ?? ""
        let content: String
        if message["deleted"]?.bool == true {
            content = "(deleted)"
        } else {
            content = isChange ? "(changed) \(text)" : text
        }
        return "\(time) \(place) \(author): \(content)".printable
    }
}
