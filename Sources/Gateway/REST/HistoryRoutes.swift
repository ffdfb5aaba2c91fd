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
        let cursor = try cursor(request)
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

    private func cursor(_ request: RESTRequest) throws(ChatError) -> HistoryQuery.Cursor {
        let given: [HistoryQuery.Cursor?] = [
            try request.integer("before", in: Self.cursors).map(HistoryQuery.Cursor.before),
            try request.integer("after", in: Self.cursors).map(HistoryQuery.Cursor.after),
            try request.integer("around", in: Self.cursors).map(HistoryQuery.Cursor.around),
        ]
        let cursors = given.compactMap { $0 }
        guard cursors.count <= 1 else { throw .badRequest("give only one of before, after and around") }
        return cursors.first ?? .latest
    }

    private static func body(_ page: HistoryPage, _ cursor: HistoryQuery.Cursor) -> [UInt8] {
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
