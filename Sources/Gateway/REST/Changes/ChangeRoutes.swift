import ChatCore
import ChatProtocol
import ChatDomain
import WireProtocols

/// Changes of messages over REST, by the same rules as over a socket.
struct ChangeRoutes: RouteGroup {
    private let services: Services

    init(services: Services) { self.services = services }

    func edit(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        _ = try request.caller()
        let (edit, clientID) = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> (MessageEdit, String?) in
            (try CommandDecoder.edit(fields), try CommandDecoder.clientMessageID(fields))
        }
        let key = try request.idempotencyKey(besides: clientID)
        return try await change(request, .edit(edit), key: key)
    }

    func delete(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await change(request, .delete) }

    func pin(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse { try await change(request, .pin(true)) }
    func unpin(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        try await change(request, .pin(false))
    }

    func react(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        try await change(request, .react(try request.emoji(), isRemoved: false))
    }

    func unreact(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        try await change(request, .react(try request.emoji(), isRemoved: true))
    }

    private func change(_ request: RESTRequest, _ kind: ChangeRequest) async throws(ChatError) -> HTTPResponse {
        try await change(request, kind, key: try request.idempotencyKey(besides: nil))
    }

    private func change(
        _ request: RESTRequest, _ kind: ChangeRequest, key: String?
    ) async throws(ChatError) -> HTTPResponse {
        let room = request.roomID
        let change = MessageChangeRequest(messageID: try request.messageID(), kind, clientMessageID: key)
        let caller = try request.caller()
        let user = caller.user ?? RoomUser(userID: ServiceMessage.anonymous, username: ServiceMessage.anonymous.value)
        if !caller.isService, let wait = services.countMessage(of: user.userID, at: services.clock.now.monotonic) {
            throw .tooFast(wait: wait)
        }
        let answer = await services.change(
            change, by: user, isService: caller.isService, from: nil, since: nil, in: room)
        switch answer {
        case .changed(let receipt):
            if case .delete = kind { await services.recordDeletion(receipt, in: room, try request.act(.messageDelete)) }
            return .json(EventJSON.success { $0.changed(receipt) })
        case .refused(let error): throw error
        default: throw .storageUnavailable
        }
    }
}

extension RESTRequest {
    /// The message that the path names.
    ///
    /// - Throws: `bad_request` for what is no message's id.
    func messageID() throws(ChatError) -> MessageID {
        guard let id = MessageID(pathParameter("messageId")) else {
            throw .badRequest("messageId must be a message's id, 24 hex digits")
        }
        return id
    }

    fileprivate func emoji() throws(ChatError) -> Emoji { try Emoji(validating: pathParameter("emoji")) }
}
