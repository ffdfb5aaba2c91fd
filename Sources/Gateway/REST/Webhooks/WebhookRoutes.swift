import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import Telemetry
import WireProtocols

/// Events that webhook receivers did not take, for services.
struct WebhookRoutes: RouteGroup {
    static let pageLimits: ClosedRange<Int64> = 1...1000
    static let maximumEventCharacters = 64
    static let maximumCursorCharacters = 128

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func deadLetters(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let limit = Int(try request.integer("limit", in: Self.pageLimits) ?? 100)
        var cursor: WebhookDelivery.ID?
        if let text = request.query("cursor") {
            guard let place = WebhookDelivery.ID(cursor: text) else {
                throw .badRequest("cursor is none of this service's")
            }
            cursor = place
        }
        let found = try await access.store { [cursor] (store) async throws(StoreError) in
            try await store.deadLetters(after: cursor, limit: limit + 1)
        }
        let shown = found.prefix(limit)
        return .json(
            EventJSON.success { out in
                out.key("deadLetters")
                out.array(shown) { out, letter in out.object { $0.deadLetter(letter) } }
                if found.count > shown.count, let last = shown.last { out.member("cursor", last.id.cursor) }
            })
    }

    /// Has all dead letters attempted again, or those of one event.
    func replay(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (event, now, caller) = (request.query("event"), services.clock.now.wall, try request.caller())
        guard event.map({ ShortText.isFit($0, maximumCharacters: Self.maximumEventCharacters) }) ?? true else {
            throw .badRequest("event must be at most \(Self.maximumEventCharacters) characters")
        }
        guard let replayed = services.observers.replayedWebhooks else {
            throw ChatError(.notFound, "no webhook receivers are configured")
        }
        let owner = services.configuration.instance
        let count = try await access.store { (store) async throws(StoreError) in
            try await store.replayDeadLetters(event, by: owner, at: now)
        }
        guard count > 0 || event == nil else { throw ChatError(.notFound, "this event is no dead letter") }
        services.logger.notice("dead letters replayed", ["count": count, "by": caller.logName])
        replayed(count)
        return .json(EventJSON.success { $0.member("replayed", count) })
    }
}

extension WebhookDelivery.ID {
    /// As callers keep it; to them it is opaque.
    fileprivate var cursor: String { "\(event):\(receiver)" }

    fileprivate init?(cursor: String) {
        let parts = cursor.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2,
            ShortText.isFit(cursor, maximumCharacters: WebhookRoutes.maximumCursorCharacters)
        else { return nil }
        self.init(event: String(parts[0]), receiver: String(parts[1]))
    }
}

extension JSONWriter {
    fileprivate mutating func deadLetter(_ letter: WebhookDelivery) {
        member("event", letter.id.event)
        member("receiver", letter.id.receiver)
        member("type", letter.type)
        if case .entry(let room, let sequence) = letter.content {
            member("roomId", room.value)
            member("seq", sequence)
        }
        member("attempts", letter.attempts)
        member("failure", letter.failure)
        member("timestamp", letter.createdAt.milliseconds)
    }
}
