import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import Telemetry
import WireProtocols

/// Users over REST, for services: profiles, friendships, logging out.
struct UserRoutes: RouteGroup {
    static let maximumTextCharacters = 256
    static let maximumAvatarCharacters = 2048
    static let maximumSocketIDCharacters = 128

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    /// Writes the fields that are given and leaves the others.
    func setProfile(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, caller) = (request.userID, try request.caller())
        let profile = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> Profile in
            Profile(
                name: try fields.optionalText("name", maximumCharacters: Self.maximumTextCharacters),
                username: try fields.optionalText(
                    "username", maximumCharacters: CommandDecoder.maximumUsernameCharacters),
                email: try fields.optionalText("email", maximumCharacters: Self.maximumTextCharacters),
                avatar: try fields.optionalText("avatar", maximumCharacters: Self.maximumAvatarCharacters))
        }
        guard profile != Profile() else { throw .badRequest("give name, username, email or avatar") }
        try await access.store { (store) async throws(StoreError) in try await store.update(user, profile) }
        services.logger.info("profile set", ["user": user.value, "by": caller.logName])
        return .json(EventJSON.success())
    }

    /// A friendship is mutual.
    func befriend(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        try await setFriend(request, isFriend: true)
    }

    func unfriend(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        try await setFriend(request, isFriend: false)
    }

    private func setFriend(_ request: RESTRequest, isFriend: Bool) async throws(ChatError) -> HTTPResponse {
        let (user, friend, caller) = (request.userID, request.friendID, try request.caller())
        guard friend != user else { throw .badRequest("a user cannot be their own friend") }
        try await access.store { (store) async throws(StoreError) in
            if isFriend { try await store.befriend(user, friend) } else { try await store.unfriend(user, friend) }
        }
        services.logger.info(
            isFriend ? "friendship made" : "friendship ended",
            ["user": user.value, "friend": friend.value, "by": caller.logName])
        services.announceFriendship(user, friend, isFriend: isFriend)
        return .json(EventJSON.success())
    }

    /// Ends the user's sessions on all instances, or the one named by `socketId`.
    func logOut(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let (user, caller) = (request.userID, try request.caller())
        let socketID = try socketID(request)
        let sessions = await services.presence.directory.sessions(of: user)
            .filter { socketID == nil || $0.id == socketID }
        if socketID != nil, sessions.isEmpty { throw ChatError(.notFound, "this user has no such session") }
        services.recovery?.forget(user)
        for session in sessions { services.end(session, .loggedOut) }
        services.logger.notice(
            "user logged out",
            [
                "user": user.value, "session": socketID?.value, "sessions": sessions.count,
                "by": caller.logName,
            ])
        await services.audit.record(try request.act(.kick, detail: socketID?.value))
        return .json(
            EventJSON.success { out in
                out.member("sessions", sessions.count)
            })
    }

    private func socketID(_ request: RESTRequest) throws(ChatError) -> SessionID? {
        if let text = request.query("socketId") { return SessionID(text) }
        guard !request.body.isEmpty else { return nil }
        return try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> SessionID? in
            try fields.optionalText("socketId", maximumCharacters: Self.maximumSocketIDCharacters).map { SessionID($0) }
        }
    }
}
