import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import WireProtocols

/// Exports as pages of lines of JSON. Each line says its `type`; the last one is `next` with the cursor of the next page, or `end`.
struct ExportRoutes: RouteGroup {
    static let maximumCursorCharacters = 256
    private static let roomsPerPage = 1000

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    // MARK: Users

    /// Profile and friends, then rooms, then messages.
    func user(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let user = request.userID
        let cursor = try cursor(request)
        switch cursor?.first {
        case nil:
            await services.audit.record(try request.act(.userExport))
            return try await records(of: user)
        case "r": return try await rooms(of: user, after: cursor.map { String($0.dropFirst()) })
        case "m": return try await messages(of: user, after: cursor.map { String($0.dropFirst()) })
        default: throw Self.foreignCursor
        }
    }

    private func records(of user: UserID) async throws(ChatError) -> HTTPResponse {
        let (profile, friends) = try await access.store { (store) async throws(StoreError) in
            (try await store.profiles(of: [user])[user], try await store.friends(of: user))
        }
        let sessions = await services.presence.directory.sessions(of: user)
        var page = ExportPage()
        page.line("user") { out in
            out.member("userId", user.value)
            if let profile { Self.write(profile, into: &out) }
        }
        for friend in friends.sorted() { page.line("friend") { $0.member("userId", friend.value) } }
        for session in sessions {
            page.line("session") { out in
                out.member("socketId", session.id.value)
                out.member("connectedAt", session.connectedAt.milliseconds)
            }
        }
        return page.response(next: "r")
    }

    private static func write(_ profile: Profile, into out: inout JSONWriter) {
        let members = [
            ("name", profile.name), ("username", profile.username), ("email", profile.email),
            ("avatar", profile.avatar),
        ]
        for (name, value) in members {
            if let value {
                out.key(escaping: name)
                out.string(value)
            }
        }
        if let lastSeen = profile.lastSeen { out.member("lastSeen", lastSeen.milliseconds) }
    }

    private func rooms(of user: UserID, after cursor: String?) async throws(ChatError) -> HTTPResponse {
        let place = cursor.flatMap { $0.isEmpty ? nil : RoomID(unchecked: $0) }
        let entries = try await access.store { (store) async throws(StoreError) in
            var entries: [(RoomID, SequenceNumber)] = []
            for room in try await store.rooms(knowing: user, after: place, limit: Self.roomsPerPage) {
                entries.append((room, try await store.readMark(of: user, in: room)))
            }
            return entries
        }
        var page = ExportPage()
        for (room, mark) in entries {
            page.line("room") { out in
                out.member("roomId", room.value)
                out.member("lastReadSeq", mark)
            }
        }
        return page.response(next: entries.count < Self.roomsPerPage ? "m" : entries.last.map { "r" + $0.0.value })
    }

    private func messages(of user: UserID, after cursor: String?) async throws(ChatError) -> HTTPResponse {
        let place = cursor.flatMap { $0.isEmpty ? nil : $0 }
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.messages(of: user, after: place)
        }
        var page = ExportPage()
        for message in found.messages { page.line(message) }
        return page.response(next: found.next.map { "m" + $0 })
    }

    // MARK: Rooms

    /// The room and its participants, then its messages.
    func room(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        guard let cursor = try cursor(request) else {
            let answer = try await records(of: room)
            await services.audit.record(try request.act(.roomExport))
            return answer
        }
        guard cursor.first == "m", let sequence = MessageNumbers.boundary(Int64(cursor.dropFirst())) else {
            throw Self.foreignCursor
        }
        let query = HistoryQuery(.after(sequence), limit: HistoryQuery.limits.upperBound)
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.history(of: room, query)
        }
        var page = ExportPage()
        for message in found.messages { page.line(message) }
        return page.response(next: found.hasMoreAfter ? found.messages.last.map { "m\($0.sequence)" } : nil)
    }

    private func records(of room: RoomID) async throws(ChatError) -> HTTPResponse {
        let (snapshot, newest) = try await access.store { (store) async throws(StoreError) in
            (try await store.room(room), try await store.lastSequences(of: [room])[room])
        }
        guard snapshot != nil || newest != nil else { throw ChatError(.notFound, "there is nothing of this room") }
        var page = ExportPage()
        page.line("room") { out in
            out.member("roomId", room.value)
            guard let room = snapshot?.room else { return }
            out.member("roomType", room.kind.rawValue)
            out.member("private", room.isPrivate)
            if let name = room.name { out.member("name", name) }
            if let owner = room.owner { out.member("owner", owner.value) }
            out.member("createdAt", room.createdAt.milliseconds)
        }
        for user in snapshot?.participants.sorted() ?? [] {
            page.line("participant") { $0.member("userId", user.value) }
        }
        return page.response(next: "m0")
    }

    // MARK: Cursors

    private static let foreignCursor = ChatError.badRequest("cursor is none of this service's")

    private func cursor(_ request: RESTRequest) throws(ChatError) -> String? {
        guard let cursor = request.query("cursor") else { return nil }
        guard !cursor.isEmpty, ShortText.isFit(cursor, maximumCharacters: Self.maximumCursorCharacters) else {
            throw Self.foreignCursor
        }
        return cursor
    }
}

/// A page of an export: newline-delimited JSON.
private struct ExportPage {
    private var bytes: [UInt8] = []

    mutating func line(_ type: String, _ members: (inout JSONWriter) -> Void) {
        bytes += EventJSON.object { out in
            out.member("type", type)
            members(&out)
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func line(_ message: Message) {
        line("message") { out in
            out.key("message")
            out.raw(MessageJSON.encode(message))
        }
    }

    /// - Parameter next: the cursor of the next page; nil at the end.
    consuming func response(next: String?) -> HTTPResponse {
        if let next { line("next") { $0.member("cursor", next) } } else { line("end") { _ in } }
        return HTTPResponse(status: 200, fields: [HTTPField("Content-Type", "application/x-ndjson")], body: bytes)
    }
}
