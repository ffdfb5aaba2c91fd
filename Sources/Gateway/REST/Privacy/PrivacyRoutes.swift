import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import Telemetry
import WireProtocols

/// Erasure of users and rooms, for services.
struct PrivacyRoutes: RouteGroup {
    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    func eraseUser(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let policy = request.query("messages").flatMap { ErasedMessages(rawValue: $0) }
        guard let policy else { throw .badRequest("messages must be erase or anonymize") }
        return try await erase(.user(request.userID, policy), try request.act(.userErase), by: try request.caller())
    }

    func eraseRoom(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        guard request.query("erase") == "true" else { throw .badRequest("erase must be true") }
        return try await erase(.room(request.roomID), try request.act(.roomErase), by: try request.caller())
    }

    func userProgress(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        try await progress(of: .user(request.userID, .erase))
    }

    func roomProgress(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        try await progress(of: .room(request.roomID))
    }

    /// An erasure that is under way goes on as it was asked for first.
    private func erase(
        _ subject: ErasureSubject, _ act: AuditAct, by caller: Caller
    ) async throws(ChatError) -> HTTPResponse {
        let services = services
        let job = try await access.store { (_) async throws(StoreError) in
            try await services.requestErasure(of: subject)
        }
        services.logger.notice("erasure requested", ["id": "\(job.id)", "by": caller.logName])
        var act = act
        // The trail names no user that is erased.
        act.user = nil
        act.detail = "\(job.id)"
        await services.audit.record(act)
        return Self.answer(job)
    }

    private func progress(of subject: ErasureSubject) async throws(ChatError) -> HTTPResponse {
        let job = try await access.store { (store) async throws(StoreError) in try await store.erasure(subject.key) }
        guard let job else { return .json(EventJSON.success { $0.member("state", "none") }) }
        return Self.answer(job)
    }

    private static func answer(_ job: ErasureJob) -> HTTPResponse {
        .json(
            EventJSON.success { out in
                out.member("state", "running")
                out.member("erasureId", "\(job.id)")
                out.member("stage", job.stage.rawValue)
                out.member("messages", job.messages)
                out.member("requestedAt", job.requestedAt.milliseconds)
            }, status: 202)
    }
}
