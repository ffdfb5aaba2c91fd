import ChatCore
import ChatProtocol
import ChatDomain
import WireProtocols

/// Answers HTTP requests from the table of routes.
///
/// WebSocket upgrades and Engine.IO are no routes: they take the connection over, or answer a poll from another loop.
struct RESTRouter: Sendable {
    private let table: RouteTable
    private let services: Services

    /// Traps when two routes are the same, which the declarations alone decide: the files of the pages lie at `/`, `/admin` and
    /// below `/client/` and `/admin/`, where no other route is.
    init(services: Services, page: StaticFiles?, adminPage: StaticFiles? = nil) {
        self.services = services
        do throws(RouteTableError) {
            table = try RouteTable(RouteCatalogue.routes + (page?.routes ?? []) + (adminPage?.adminRoutes ?? []))
        } catch {
            preconditionFailure("the routes make no table: \(error)")
        }
    }

    func match(_ method: String, _ path: [String]) -> RouteMatch { table.match(method, path) }

    /// Checks the call, and begins with it.
    ///
    /// - Throws: `not_found` for a path without routes; `method_not_allowed` is an answer, since it names the methods.
    func begin(
        _ head: HTTPRequestHead, body: [UInt8], by caller: Caller, _ match: RouteMatch
    ) throws(ChatError) -> Prompt<RESTAnswer> {
        guard let route = match.route else {
            guard match.alternatives.isEmpty else { return .now(.whole(Self.notAllowed(match.allow))) }
            throw ChatError(.notFound, "there is nothing at this path")
        }
        let openness = RouteAccess.Openness(
            rooms: !services.configuration.requiresAuthentication, presence: services.presence.settings.isPublic)
        let request = try RESTRequest(route, match.pathParameters, head: head, body: body, by: caller, openness)
        if !route.refusesInputFirst { _ = try request.caller() }
        switch route.work {
        case .whole(let handler):
            return .later { [services] () async throws(ChatError) in .whole(try await handler(services, request)) }
        case .prompt(let handler):
            switch try handler(services, request) {
            case .now(let response): return .now(.whole(response))
            case .later(let rest): return .later { () async throws(ChatError) in .whole(try await rest()) }
            }
        case .upload(let open):
            return .later { [services] () async throws(ChatError) in .upload(try await open(services, request)) }
        case .download(let answer):
            return .later { [services] () async throws(ChatError) in try await answer(services, request) }
        }
    }

    private static func notAllowed(_ methods: String) -> HTTPResponse {
        var response = Problem.response(ChatError(.methodNotAllowed, "this path takes \(methods)"))
        response.fields.append(HTTPField("Allow", methods))
        return response
    }
}
