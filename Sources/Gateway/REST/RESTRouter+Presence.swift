import ChatDomain
import WireProtocols

/// The paths about people.
extension RESTRouter {
    /// nil for a path that is none of these.
    func respondAboutPeople(_ request: RESTRequest, _ method: String) async throws(ChatError) -> HTTPResponse? {
        let path = request.path
        switch (method, path.count) {
        case ("GET", 1) where path == ["online-status"]: return try await presence.onlineStatus(request)
        case ("GET", 2) where path == ["api", "online-users"]: return try await presence.onlineUsers(request)
        case ("GET", 2) where path == ["api", "presence"]: return try await presence.presence(request)
        case (_, _) where [["online-status"], ["api", "online-users"], ["api", "presence"]].contains(path):
            return Self.notAllowed("GET")
        case ("PUT", 4) where path.starts(with: ["api", "users"]) && path[3] == "profile":
            return try await users.setProfile(request, of: try request.userID(at: 2))
        case (_, 4) where path.starts(with: ["api", "users"]) && path[3] == "profile": return Self.notAllowed("PUT")
        case ("PUT", 5) where path.starts(with: ["api", "users"]) && path[3] == "friends",
            ("DELETE", 5) where path.starts(with: ["api", "users"]) && path[3] == "friends":
            return try await users.setFriend(
                request, try request.userID(at: 4), of: try request.userID(at: 2), isFriend: method == "PUT")
        case (_, 5) where path.starts(with: ["api", "users"]) && path[3] == "friends":
            return Self.notAllowed("PUT, DELETE")
        case ("DELETE", 4) where path.starts(with: ["internal", "users"]) && path[3] == "sessions":
            return try await users.logOut(request, try request.userID(at: 2))
        case (_, 4) where path.starts(with: ["internal", "users"]) && path[3] == "sessions":
            return Self.notAllowed("DELETE")
        default: return nil
        }
    }
}
