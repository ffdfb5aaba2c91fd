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

    /// Weight of a page past which it is encoded by another thread: this takes the loop about a tenth of a millisecond.
    private static let bytesEncodedOnLoop = 64 << 10

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func page(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        let cursor = try Self.cursor(request, [.before, .after, .around])
        let limit = try request.integer("limit", in: Self.limits)
        let generation = services.historyGeneration
        let info = try await access.info(room, by: try request.caller())
        let query = HistoryQuery(
            cursor, limit: limit.map(Int.init) ?? HistoryQuery.defaultLimit, base: info.room.historyBase)
        let known = generation.map { Self.tag(of: query, in: info, $0) }
        let isKnown = { HTTPEntityTag.matches(request.header("If-None-Match"), $0) }
        if let known {
            if isKnown(known) { return Self.unchanged(known) }
            if let body = services.pages.body(of: room, known) { return .json(body, fields: Self.fields(known)) }
        }
        let page = try await access.store { (_) async throws(StoreError) in
            try await services.currentHistory(of: room, query, known: info.state.lastSequence)
        }
        let (body, tag) = await Self.encode(page, cursor, known)
        if let known { services.pages.add(body, of: room, known) }
        return isKnown(tag) ? Self.unchanged(tag) : .json(body, fields: Self.fields(tag))
    }

    /// The page's body and its tag, a hash of the body where it is not known without. A large page is encoded and hashed by another thread.
    private static func encode(
        _ page: HistoryPage, _ cursor: HistoryQuery.Cursor, _ known: String?
    ) async -> (body: [UInt8], tag: String) {
        let encode = { @Sendable in
            let body = Self.body(page, cursor)
            return (body, known ?? "\"" + String(decoding: Base64.encode(Digest.sha1(body)), as: UTF8.self) + "\"")
        }
        let isLarge = page.messages.reduce(0) { $0 + $1.body.approximateBytes } > bytesEncodedOnLoop
        return isLarge ? await withTaskExecutorPreference(globalConcurrentExecutor) { encode() } : encode()
    }

    /// A page's tag, the same as long as the room gets no message or change and nothing is erased. It is known without the page.
    ///
    /// - Parameter generation: as it was before the room was asked for.
    private static func tag(of query: HistoryQuery, in info: RoomInfo, _ generation: String) -> String {
        let place =
            switch query.cursor {
            case .latest: "l"
            case .before(let sequence): "b\(sequence)"
            case .after(let sequence): "a\(sequence)"
            case .around(let sequence): "m\(sequence)"
            }
        return "\"\(generation)-\(info.room.historyBase)-\(info.state.lastSequence)-\(place)-\(query.limit)\""
    }

    private static func fields(_ tag: String) -> [HTTPField] {
        [HTTPField("ETag", tag), HTTPField("Cache-Control", "private, no-cache")]
    }

    private static func unchanged(_ tag: String) -> HTTPResponse { HTTPResponse(status: 304, fields: fields(tag)) }

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
