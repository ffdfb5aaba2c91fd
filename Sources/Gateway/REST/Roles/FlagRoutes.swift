import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import WireProtocols

/// Reports of messages: every reader of a room gives them, its moderators and services list and settle them.
struct FlagRoutes: RouteGroup {
    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func flag(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (room, user) = (request.roomID, try request.user())
        let reason = try request.reason(limits: services.configuration.commands)
        let info = try await access.info(room, by: try request.caller())
        let message = try await message(request, in: info.room)
        let flag = MessageFlag(message, by: user.userID, reason: reason, since: services.clock.now.wall)
        let outcome = try await access.store { (store) async throws(StoreError) in
            try await store.flag(flag, in: room)
        }
        // A message that a hundred users reported is reported enough.
        guard outcome != .noRoom else { throw .roomUnavailable }
        if outcome == .recorded { services.observers.roomChanged?(.flagged(room, flag)) }
        return .json(EventJSON.success())
    }

    func list(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        let limit = Int(
            try request.integer("limit", in: StandingRoutes.pageLimits) ?? StandingRoutes.pageLimits.upperBound)
        var cursor: MessageFlag.Place?
        if let text = request.query("cursor") {
            guard let place = MessageFlag.Place(text: text) else {
                throw .badRequest("cursor is none of this service's")
            }
            cursor = place
        }
        _ = try await access.infoForModerator(room, by: try request.caller())
        let found = try await access.store { [cursor] (store) async throws(StoreError) in
            try await store.flags(in: room, after: cursor, limit: limit + 1)
        }
        let shown = found.prefix(limit)
        return .json(
            EventJSON.success { out in
                out.key("flags")
                out.array(shown) { out, flag in out.object { $0.flag(flag) } }
                if found.count > shown.count, let last = shown.last { out.member("cursor", last.place.text) }
            })
    }

    /// The flags of a message are dealt with.
    func settle(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (room, caller) = (request.roomID, try request.caller())
        _ = try await access.infoForModerator(room, by: caller)
        let message = try request.messageID()
        let count = try await access.store { (store) async throws(StoreError) in
            try await store.settleFlags(of: message, in: room)
        }
        guard count > 0 else { throw ChatError(.notFound, "this message has no flags") }
        access.log("flags of a message settled", room, by: caller)
        services.observers.roomChanged?(.flagsSettled(room, message))
        return .json(EventJSON.success { $0.member("flags", count) })
    }

    /// - Throws: `not_found` for a message that is not in the room or was deleted.
    private func message(_ request: RESTRequest, in room: Room) async throws(ChatError) -> MessageID {
        let id = try request.messageID()
        let found = try await access.store { (store) async throws(StoreError) in
            try await store.message(id, in: room.id, above: room.historyBase)
        }
        guard let found, !found.isDeleted else { throw .messageUnavailable }
        return id
    }
}

extension JSONWriter {
    fileprivate mutating func flag(_ flag: MessageFlag) {
        key("messageId")
        id(flag.message)
        member("userId", flag.user.value)
        member("reason", flag.reason)
        member("timestamp", flag.since.milliseconds)
    }
}
