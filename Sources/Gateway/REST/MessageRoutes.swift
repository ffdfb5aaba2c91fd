import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import WireProtocols

/// Sending to a room over REST.
struct MessageRoutes: RouteGroup {
    static let maximumKeyCharacters = 128

    private let services: Services

    init(services: Services) { self.services = services }

    /// The trace the request belongs to; nil without one. A malformed header is ignored, not refused (W3C Trace Context,
    /// section 3.2.2).
    private static func traceparent(_ request: RESTRequest) -> String? {
        request.header("traceparent").flatMap { $0.hasPrefix("00-") && TraceContext($0) != nil ? $0 : nil }
    }

    func send(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        let author = try request.user()
        let message = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> OutgoingMessage in
            var message = try CommandDecoder.outgoingMessage(fields)
            message.traceparent = Self.traceparent(request)
            message.clientMessageID = try request.idempotencyKey(besides: message.clientMessageID)
            return message
        }
        let now = services.clock.now
        if let wait = services.countMessage(of: author.userID, at: now.monotonic) { throw .tooFast(wait: wait) }
        switch await services.send(message, by: author, from: nil, since: nil, to: room) {
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
