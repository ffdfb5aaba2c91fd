import ChatCore
import ChatProtocol
import ChatDomain
import Crypto
import JSON
import WireProtocols

/// A room's history over REST.
struct HistoryRoutes: RouteGroup {
    static let limits = 1...Int64(HistoryQuery.limits.upperBound)
    static let cursors = 0...Int64.max

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func page(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        let cursor = try Self.cursor(request, [.before, .after, .around])
        let limit = try request.integer("limit", in: Self.limits)
        let info = try await access.info(room, by: try request.caller())
        let query = HistoryQuery(
            cursor, limit: limit.map(Int.init) ?? HistoryQuery.defaultLimit, base: info.room.historyBase)
        let page = try await access.store { (_) async throws(StoreError) in
            try await services.currentHistory(of: room, query, known: info.state.lastSequence)
        }
        let body = Self.body(page, cursor)
        let tag = "\"" + String(decoding: Base64.encode(Digest.sha1(body)), as: UTF8.self) + "\""
        let fields = [HTTPField("ETag", tag), HTTPField("Cache-Control", "private, no-cache")]
        if HTTPEntityTag.matches(request.header("If-None-Match"), tag) {
            return HTTPResponse(status: 304, fields: fields)
        }
        return .json(body, fields: fields)
    }

    /// A parameter of the query that says where the page is.
    enum CursorName: String {
        case before, after, around
    }

    /// The cursor of a request that takes these.
    static func cursor(_ request: RESTRequest, _ names: [CursorName]) throws(ChatError) -> HistoryQuery.Cursor {
        var cursors: [HistoryQuery.Cursor] = []
        for name in names {
            guard let sequence = try request.integer(name.rawValue, in: Self.cursors) else { continue }
            switch name {
            case .before: cursors.append(.before(sequence))
            case .after: cursors.append(.after(sequence))
            case .around: cursors.append(.around(sequence))
            }
        }
        guard cursors.count <= 1 else {
            let given = names.map(\.rawValue)
            throw .badRequest("give only one of \(given.dropLast().joined(separator: ", ")) and \(given.last ?? "")")
        }
        return cursors.first ?? .latest
    }

    static func body(_ page: HistoryPage, _ cursor: HistoryQuery.Cursor) -> [UInt8] {
        EventJSON.success { out in
            out.key("messages")
            out.raw(EventJSON.messages(page.messages))
            out.member("hasMore", page.hasMore(for: cursor))
            if case .around = cursor {
                out.member("hasMoreBefore", page.hasMoreBefore)
                out.member("hasMoreAfter", page.hasMoreAfter)
            }
            for (name, message) in [("firstSeq", page.messages.first), ("lastSeq", page.messages.last)] {
                out.key(escaping: name)
                if let message { out.integer(message.sequence) } else { out.null() }
            }
        }
    }
}
