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

    /// A page that is kept encoded is answered at once, as is one that the caller has.
    func page(_ request: RESTRequest) throws(ChatError) -> Prompt<HTTPResponse> {
        let wanted = try Wanted(request, services.historyGeneration)
        let call = access.askForInfo(of: wanted.room, by: wanted.caller)
        if let reply = call.answer, let answer = kept(wanted, try access.info(reply, for: wanted.caller)) {
            return .now(answer)
        }
        return .later { () async throws(ChatError) in
            let info = try access.info(await services.calls.reply(to: call), for: wanted.caller)
            if let answer = kept(wanted, info) { return answer }
            return try await read(wanted, info)
        }
    }

    /// The answer that needs no read; nil where there is none.
    private func kept(_ wanted: Wanted, _ info: RoomInfo) -> HTTPResponse? {
        guard let tag = wanted.tag(in: info) else { return nil }
        let page = services.pages.page(of: wanted.room, tag)
        let text = page?.tag ?? tag.text
        return wanted.isKnown(text) ? Self.unchanged(text) : page.map(Self.answer)
    }

    private func read(_ wanted: Wanted, _ info: RoomInfo) async throws(ChatError) -> HTTPResponse {
        let page = try await access.store { (_) async throws(StoreError) in
            try await services.currentHistory(
                of: wanted.room, wanted.query(in: info), known: info.state.lastSequence)
        }
        let tag = wanted.tag(in: info)
        let encoded = await Self.encode(page, wanted.cursor, tag?.text)
        if let tag { services.pages.add(encoded, of: wanted.room, tag) }
        return wanted.isKnown(encoded.tag) ? Self.unchanged(encoded.tag) : Self.answer(encoded)
    }

    /// A request for a page, read.
    private struct Wanted: Sendable {
        let room: RoomID
        let caller: Caller
        let cursor: HistoryQuery.Cursor
        private let limit: Int
        private let knownTags: String?
        /// As it was before the room was asked for.
        private let generation: HistoryGeneration?

        init(_ request: RESTRequest, _ generation: HistoryGeneration?) throws(ChatError) {
            room = request.roomID
            cursor = try HistoryRoutes.cursor(request, [.before, .after, .around])
            limit = try request.integer("limit", in: HistoryRoutes.limits).map(Int.init) ?? HistoryQuery.defaultLimit
            caller = try request.caller()
            knownTags = request.header("If-None-Match")
            self.generation = generation
        }

        func query(in info: RoomInfo) -> HistoryQuery {
            HistoryQuery(cursor, limit: limit, base: info.room.historyBase)
        }

        /// The page's tag, where it is known without the page.
        func tag(in info: RoomInfo) -> PageTag? {
            generation.map { PageTag(of: query(in: info), upTo: info.state.lastSequence, $0) }
        }

        func isKnown(_ tag: String) -> Bool { HTTPEntityTag.matches(knownTags, tag) }
    }

    /// The page's body and its tag, a hash of the body where it is not known without. A large page is encoded and hashed by another thread.
    private static func encode(
        _ page: HistoryPage, _ cursor: HistoryQuery.Cursor, _ known: String?
    ) async -> EncodedPage {
        let encode = { @Sendable in
            let body = Self.body(page, cursor)
            return EncodedPage(
                body: body,
                tag: known ?? "\"" + String(decoding: Base64.encode(Digest.sha1(body)), as: UTF8.self) + "\"")
        }
        let isLarge = page.messages.reduce(0) { $0 + $1.body.approximateBytes } > bytesEncodedOnLoop
        return isLarge ? await withTaskExecutorPreference(globalConcurrentExecutor) { encode() } : encode()
    }

    private static func answer(_ page: EncodedPage) -> HTTPResponse { .json(page.body, fields: fields(page.tag)) }

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
