import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import WireProtocols

/// Single messages, the messages that answer one, and the messages that changed.
struct ChangedMessageRoutes: RouteGroup {
    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func read(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (room, id) = (request.roomID, try request.messageID())
        let info = try await access.info(room, by: try request.caller())
        let message = try await message(id, in: info.room)
        return .json(
            EventJSON.success { out in
                out.key("message")
                MessageJSON.encode(message, into: &out)
            })
    }

    func replies(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (room, id) = (request.roomID, try request.messageID())
        let cursor = try HistoryRoutes.cursor(request, [.before, .after])
        let limit = try request.integer("limit", in: HistoryRoutes.limits)
        let info = try await access.info(room, by: try request.caller())
        _ = try await message(id, in: info.room)
        let query = HistoryQuery(
            cursor, limit: limit.map(Int.init) ?? HistoryQuery.defaultLimit, base: info.room.historyBase)
        let page = try await access.store { (store) async throws(StoreError) in
            try await store.replies(to: id, in: room, query)
        }
        return .json(HistoryRoutes.body(page, cursor))
    }

    /// - Throws: `not_found` where the room has no such message.
    private func message(_ id: MessageID, in room: Room) async throws(ChatError) -> Message {
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.message(id, in: room.id, above: room.historyBase)
        }
        guard let found else { throw .messageUnavailable }
        return found
    }

    func changed(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        let after = try request.integer("after", in: HistoryRoutes.cursors) ?? 0
        let limit = try request.integer("limit", in: HistoryRoutes.limits)
        let info = try await access.info(room, by: try request.caller())
        let query = ChangesQuery(
            after: after, limit: limit.map(Int.init) ?? HistoryQuery.defaultLimit, base: info.room.historyBase)
        let page = try await access.store { (store) async throws(StoreError) in
            try await store.changedMessages(of: room, query)
        }
        let last = page.hasMore ? page.messages.last?.changeSequence : info.state.lastSequence
        return .json(
            EventJSON.success { out in
                out.key("messages")
                out.raw(EventJSON.messages(page.messages))
                out.member("hasMore", page.hasMore)
                out.member("lastSeq", max(last ?? after, after))
            })
    }
}
