import ChatCore
import ChatProtocol
import ChatDomain
import WireProtocols

/// Which function answers a REST call.
struct RESTRouter: Sendable {
    let rooms: RoomRoutes
    let messages: MessageRoutes
    let operations: OperationRoutes
    let presence: PresenceRoutes
    let users: UserRoutes
    let services: ServiceRoutes

    init(services: Services) {
        rooms = RoomRoutes(services: services)
        messages = MessageRoutes(services: services)
        operations = OperationRoutes(services: services)
        presence = PresenceRoutes(services: services)
        users = UserRoutes(services: services)
        self.services = ServiceRoutes(services: services)
    }

    /// - Throws: `not_found` for a path nobody serves; `method_not_allowed` is an answer, since it names the methods.
    func respond(to request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let method = request.method == "HEAD" ? "GET" : request.method
        switch (method, request.path) {
        case ("GET", ["health"]): return operations.health()
        case ("GET", ["ready"]): return await operations.ready()
        case ("GET", ["metrics"]): return operations.metrics()
        case (_, let path) where OperationRoutes.answers(path):
            return Self.notAllowed("GET")
        default: break
        }
        if let answer = try await respondAboutPeople(request, method) { return answer }
        if request.path == ["internal", "messages"] {
            return method == "POST" ? try await services.send(request) : Self.notAllowed("POST")
        }
        var path = request.path[...]
        if path.first == "api" { path = path.dropFirst() }
        switch (method, path.first, path.count) {
        case ("GET", "chat", 3) where path.last == "history":
            return try await messages.history(request, room: try roomID(path))
        case ("POST", "chat", 3) where path.last == "messages" && request.path.first == "api":
            return try await messages.send(request, room: try roomID(path))
        case ("GET", "chat", 3) where path.last == "read-marks" && request.path.first == "api":
            return try await rooms.readMarks(request, try roomID(path))
        case (_, "chat", 3) where path.last == "history": return Self.notAllowed("GET")
        case (_, "chat", 3) where path.last == "read-marks": return Self.notAllowed("GET")
        case (_, "chat", 3) where path.last == "messages": return Self.notAllowed("POST")
        case (_, "rooms", _) where request.path.first == "api":
            return try await respondAboutRooms(request, method, path.dropFirst())
        default: throw ChatError(.notFound, "there is nothing at this path")
        }
    }

    private func respondAboutRooms(
        _ request: RESTRequest, _ method: String, _ path: ArraySlice<String>
    ) async throws(ChatError) -> HTTPResponse {
        switch (method, path.count) {
        case ("GET", 0): return try await rooms.list(request)
        case ("POST", 0): return try await rooms.create(request)
        case (_, 0): return Self.notAllowed("GET, POST")
        case ("GET", 1): return try await rooms.read(request, try room(path.first))
        case ("PATCH", 1): return try await rooms.revise(request, try room(path.first))
        case ("DELETE", 1): return try await rooms.delete(request, try room(path.first))
        case (_, 1): return Self.notAllowed("GET, PATCH, DELETE")
        default: break
        }
        guard path.count == 3, path[path.startIndex + 1] == "participants", let name = path.last else {
            throw ChatError(.notFound, "there is nothing at this path")
        }
        let user = try UserID(validating: name, field: "userId")
        switch method {
        case "PUT": return try await rooms.admit(request, user, to: try room(path.first))
        case "DELETE": return try await rooms.expel(request, user, from: try room(path.first))
        default: return Self.notAllowed("PUT, DELETE")
        }
    }

    private func roomID(_ path: ArraySlice<String>) throws(ChatError) -> RoomID {
        try room(path.dropFirst().first)
    }

    private func room(_ segment: String?) throws(ChatError) -> RoomID {
        try RoomID(validating: segment ?? "", field: "roomId")
    }

    /// Whether a call counts against the caller's rate: what changes something, and what lists rooms or users. Messages
    /// have a rate of their own, and services none.
    static func isCounted(_ request: RESTRequest) -> Bool {
        guard !request.caller.isService else { return false }
        switch request.method {
        case "GET", "HEAD": return [["api", "rooms"], ["api", "online-users"]].contains(request.path)
        case "POST": return request.path.last != "messages"
        default: return true
        }
    }

    static func notAllowed(_ methods: String) -> HTTPResponse {
        var response = Problem.response(ChatError(.methodNotAllowed, "this path takes \(methods)"))
        response.fields.append(HTTPField("Allow", methods))
        return response
    }
}
