import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import WireProtocols

/// Exports as pages of lines of JSON. Each line says its `type`; the last one is `next` with the cursor of the next page, or `end`.
struct ExportRoutes: RouteGroup {
    static let maximumCursorCharacters = 256
    private static let roomsPerPage = 1000
    /// Of lists whose entries are short.
    private static let entriesPerPage = 500

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    // MARK: Users

    /// Profile, friends and blocks, then rooms, what rooms have on record, reports, messages, changes, and files.
    func user(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let user = request.userID
        let cursor = try cursor(request)
        switch cursor?.first {
        case nil:
            await services.audit.record(try request.act(.userExport))
            return try await records(of: user)
        case "r": return try await rooms(of: user, after: cursor.map { String($0.dropFirst()) })
        case "s": return try await standings(of: user, after: cursor.map { String($0.dropFirst()) })
        case "g": return try await flags(by: user, after: cursor.map { String($0.dropFirst()) })
        case "m": return try await messages(of: user, after: cursor.map { String($0.dropFirst()) })
        case "c": return try await changes(by: user, after: cursor.map { String($0.dropFirst()) })
        case "f": return try await files(.owner(user), after: cursor.map { String($0.dropFirst()) })
        default: throw Self.foreignCursor
        }
    }

    private func records(of user: UserID) async throws(ChatError) -> HTTPResponse {
        let (profile, friends) = try await access.store { (store) async throws(StoreError) in
            (try await store.profiles(of: [user])[user], try await store.friends(of: user))
        }
        let (blocks, ban) = try await access.store { (store) async throws(StoreError) in
            (try await store.blocks(by: user, after: nil, limit: UserBlock.limit), try await store.ban(of: user))
        }
        let sessions = await services.presence.directory.sessions(of: user)
        var page = ExportPage()
        page.line("user") { out in
            out.member("userId", user.value)
            if let profile { Self.write(profile, into: &out) }
        }
        for friend in friends.sorted() { page.line("friend") { $0.member("userId", friend.value) } }
        for block in blocks {
            page.line("block") { out in
                out.member("userId", block.user.value)
                out.member("since", block.since.milliseconds)
            }
        }
        if let ban {
            page.line("ban") { Self.write(until: ban.until, reason: ban.reason, since: ban.since, into: &$0) }
        }
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
        return page.response(next: entries.count < Self.roomsPerPage ? "s" : entries.last.map { "r" + $0.0.value })
    }

    private func messages(of user: UserID, after cursor: String?) async throws(ChatError) -> HTTPResponse {
        let place = cursor.flatMap { $0.isEmpty ? nil : $0 }
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.messages(of: user, after: place)
        }
        var page = ExportPage()
        for message in found.messages { page.line(message) }
        return page.response(next: found.next.map { "m" + $0 } ?? "c")
    }

    private func standings(of user: UserID, after cursor: String?) async throws(ChatError) -> HTTPResponse {
        let place = cursor.flatMap { $0.isEmpty ? nil : RoomID(unchecked: $0) }
        var found = try await access.store { (store) async throws(StoreError) in
            try await store.standings(of: user, after: place, limit: Self.entriesPerPage)
        }
        // A page ends with the last entry of a room.
        let hasMore = found.count == Self.entriesPerPage
        if hasMore, let last = found.last?.roomID { found.removeAll { $0.roomID == last } }
        var page = ExportPage()
        for entry in found {
            page.line("standing") { out in
                out.member("roomId", entry.roomID.value)
                Self.write(entry.standing, into: &out)
            }
        }
        return page.response(next: hasMore ? found.last.map { "s" + $0.roomID.value } ?? "g" : "g")
    }

    private static func write(_ standing: RoomStanding, into out: inout JSONWriter) {
        out.member("kind", standing.kind.rawValue)
        if let author = standing.author { out.member("by", author.value) }
        write(until: standing.until, reason: standing.reason, since: standing.since, into: &out)
    }

    private static func write(until: Timestamp?, reason: String?, since: Timestamp, into out: inout JSONWriter) {
        if let until { out.member("until", until.milliseconds) }
        if let reason { out.member("reason", reason) }
        out.member("since", since.milliseconds)
    }

    private func flags(by user: UserID, after cursor: String?) async throws(ChatError) -> HTTPResponse {
        let place = cursor.flatMap { MessageID($0) }
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.flags(by: user, after: place, limit: Self.entriesPerPage)
        }
        var page = ExportPage()
        for entry in found { page.line(entry.flag, in: entry.roomID) }
        return page.response(next: found.count < Self.entriesPerPage ? "m" : found.last.map { "g\($0.flag.message)" })
    }

    private func changes(by user: UserID, after cursor: String?) async throws(ChatError) -> HTTPResponse {
        let place = cursor.flatMap { $0.isEmpty ? nil : $0 }
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.changes(by: user, after: place)
        }
        var page = ExportPage()
        for change in found.changes { page.line(change) }
        return page.response(next: found.next.map { "c" + $0 } ?? "f")
    }

    // MARK: Files

    private func files(_ selection: FileSelection, after cursor: String?) async throws(ChatError) -> HTTPResponse {
        var page = ExportPage()
        guard let files = services.files else { return page.response(next: nil) }
        let place = cursor.flatMap { FileID($0) }
        let found = try await files.call { (store) async throws(StoreError) in
            try await store.files(selection, after: place, limit: Self.entriesPerPage)
        }
        for file in found { page.line(file) }
        return page.response(next: found.count < Self.entriesPerPage ? nil : found.last.map { "f\($0.id)" })
    }

    // MARK: Rooms

    /// The room, its participants and its rights, then reports, messages, changes, and files.
    func room(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        guard let cursor = try cursor(request) else {
            let answer = try await records(of: room)
            await services.audit.record(try request.act(.roomExport))
            return answer
        }
        let place = String(cursor.dropFirst())
        switch cursor.first {
        case "g": return try await flags(in: room, after: MessageFlag.Place(text: place))
        case "m": return try await messages(of: room, after: try number(place))
        case "c": return try await changes(in: room, after: try number(place))
        case "f": return try await files(.room(room), after: place)
        default: throw Self.foreignCursor
        }
    }

    private func number(_ place: String) throws(ChatError) -> SequenceNumber {
        guard let number = MessageNumbers.boundary(Int64(place)) else { throw Self.foreignCursor }
        return number
    }

    private func flags(in room: RoomID, after place: MessageFlag.Place?) async throws(ChatError) -> HTTPResponse {
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.flags(in: room, after: place, limit: Self.entriesPerPage)
        }
        var page = ExportPage()
        for flag in found { page.line(flag, in: room) }
        return page.response(next: found.count < Self.entriesPerPage ? "m0" : found.last.map { "g" + $0.place.text })
    }

    private func changes(in room: RoomID, after sequence: SequenceNumber) async throws(ChatError) -> HTTPResponse {
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.log(of: room, after: sequence, limit: Self.entriesPerPage)
        }
        var page = ExportPage()
        for change in found.entries.compactMap(\.change) { page.line(change) }
        return page.response(next: found.hasMore ? found.entries.last.map { "c\($0.sequence)" } ?? "f" : "f")
    }

    private func messages(of room: RoomID, after sequence: SequenceNumber) async throws(ChatError) -> HTTPResponse {
        let query = HistoryQuery(.after(sequence), limit: HistoryQuery.limits.upperBound)
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.history(of: room, query)
        }
        var page = ExportPage()
        for message in found.messages { page.line(message) }
        return page.response(next: found.hasMoreAfter ? found.messages.last.map { "m\($0.sequence)" } ?? "c0" : "c0")
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
        for kind in RoomStanding.Kind.allCases {
            let standings = try await access.store { (store) async throws(StoreError) in
                try await store.standings(kind, in: room, after: nil, limit: kind.limit)
            }
            for standing in standings {
                page.line("standing") { out in
                    out.member("userId", standing.user.value)
                    Self.write(standing, into: &out)
                }
            }
        }
        return page.response(next: "g")
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
