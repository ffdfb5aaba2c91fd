import ChatCore
import ChatProtocol
import ChatDomain
import Crypto
import JSON
import WireProtocols

/// History and sending over REST.
struct MessageRoutes: Sendable {
    let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    // MARK: History

    func history(_ request: RESTRequest, room: RoomID) async throws(ChatError) -> HTTPResponse {
        let cursor = try cursor(request)
        let limit = try request.integer("limit", in: 1...Int64(HistoryQuery.limits.upperBound))
        let info = try await access.info(room, by: request.caller)
        let query = HistoryQuery(
            cursor, limit: limit.map(Int.init) ?? HistoryQuery.defaultLimit, base: info.room.historyBase)
        let page = try await access.store { (_) async throws(StoreError) in
            try await services.currentHistory(of: room, query, known: info.state.lastSequence)
        }
        let body = Self.json(page, cursor)
        let tag = "\"" + String(decoding: Base64.encode(Digest.sha1(body)), as: UTF8.self) + "\""
        let fields = [HTTPField("ETag", tag), HTTPField("Cache-Control", "private, no-cache")]
        if Self.matches(request.head.headers["If-None-Match"], tag) { return HTTPResponse(status: 304, fields: fields) }
        return .json(body, fields: fields)
    }

    private func cursor(_ request: RESTRequest) throws(ChatError) -> HistoryQuery.Cursor {
        let range = Int64(0)...Int64.max
        let given: [HistoryQuery.Cursor?] = [
            try request.integer("before", in: range).map(HistoryQuery.Cursor.before),
            try request.integer("after", in: range).map(HistoryQuery.Cursor.after),
            try request.integer("around", in: range).map(HistoryQuery.Cursor.around),
        ]
        let cursors = given.compactMap { $0 }
        guard cursors.count <= 1 else { throw .badRequest("give only one of before, after and around") }
        return cursors.first ?? .latest
    }

    private static func json(_ page: HistoryPage, _ cursor: HistoryQuery.Cursor) -> [UInt8] {
        EventJSON.success { out in
            out.key("messages")
            out.raw(EventJSON.messages(page.messages))
            out.key("hasMore")
            out.bool(page.hasMore(for: cursor))
            if case .around = cursor {
                out.key("hasMoreBefore")
                out.bool(page.hasMoreBefore)
                out.key("hasMoreAfter")
                out.bool(page.hasMoreAfter)
            }
            for (name, message) in [("firstSeq", page.messages.first), ("lastSeq", page.messages.last)] {
                out.key(escaping: name)
                if let message { out.integer(message.sequence) } else { out.null() }
            }
        }
    }

    private static func matches(_ header: String?, _ tag: String) -> Bool {
        guard let header else { return false }
        return header.split(separator: ",").contains { candidate in
            let trimmed = candidate.drop { $0 == " " }.prefix { $0 != " " }
            return trimmed == "*" || trimmed == tag || trimmed == "W/" + tag
        }
    }

    // MARK: Sending

    /// The trace the request belongs to; nil for none, and for a header that says nothing (W3C Trace Context, section
    /// 3.2.2), which is no reason to refuse the request.
    private static func traceparent(_ request: RESTRequest) -> String? {
        guard let header = request.head.headers["traceparent"] else { return nil }
        let parts = header.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [2, 32, 16, 2], parts[0].elementsEqual("00".utf8),
            parts.joined().allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            parts[1...2].allSatisfy({ !$0.allSatisfy { $0 == UInt8(ascii: "0") } })
        else { return nil }
        return header
    }

    func send(_ request: RESTRequest, room: RoomID) async throws(ChatError) -> HTTPResponse {
        let author = try request.requireUser()
        let key = request.head.headers["Idempotency-Key"]
        let message = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> OutgoingMessage in
            var message = try CommandDecoder.outgoingMessage(fields)
            message.traceparent = Self.traceparent(request)
            guard let key else { return message }
            guard !key.isEmpty else { throw .badRequest("Idempotency-Key must not be empty") }
            try ShortText.check(key, field: "Idempotency-Key", maximumCharacters: 128)
            guard message.clientMessageID?.hasSameBytes(as: key) ?? true else {
                throw .badRequest("clientMessageId and Idempotency-Key differ")
            }
            message.clientMessageID = key
            return message
        }
        let now = services.clock()
        if let wait = services.countMessage(of: author.userID, at: now.monotonic) { throw .tooFast(wait: wait) }
        switch await access.ask(room, { .send(nil, $0, message, author, since: nil) }) {
        case .sent(let id, let sequence, let timestamp, let isDuplicate):
            let body = EventJSON.success {
                $0.sent(id: id, sequence: sequence, timestamp: timestamp, isDuplicate: isDuplicate)
            }
            return .json(body, status: isDuplicate ? 200 : 201)
        case .refused(let error): throw error
        default: throw .storageUnavailable
        }
    }
}
