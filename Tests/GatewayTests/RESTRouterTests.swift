import ChatDomain
import ChatTestSupport
import Testing
import WireProtocols

@testable import Gateway

@Suite struct RESTRouterTests {
    private struct Request {
        let method: String
        let path: String
        var body = ""
        var caller = Caller()
    }

    /// The status of each answer, or the code of the refusal.
    private func outcomes(_ requests: [Request]) async throws -> [String] {
        var outcomes: [String] = []
        try await GatewayHost.serve { host in
            let router = RESTRouter(services: host.gateway.services, page: nil)
            for request in requests {
                let head = try head(request.method, request.path)
                let match = router.match(request.method, try #require(head.target.pathSegments))
                do throws(ChatError) {
                    let body = Array(request.body.utf8)
                    let answer = try await router.begin(head, body: body, by: request.caller, match).value()
                    outcomes.append(answer.whole.map { "\($0.status)" } ?? "a stream")
                } catch {
                    outcomes.append(error.code.rawValue)
                }
            }
        }
        return outcomes
    }

    private let service = Caller(isService: true)

    @Test func pathsWithoutRoutesAreNotFoundAndOtherMethodsNotAllowed() async throws {
        let outcomes = try await outcomes([
            Request(method: "GET", path: "/nowhere"), Request(method: "GET", path: "/"),
            Request(method: "DELETE", path: "/health"), Request(method: "HEAD", path: "/health"),
        ])
        #expect(outcomes == ["not_found", "not_found", "405", "200"])
    }

    @Test func idsInThePathAreValidatedBeforeTheCaller() async throws {
        let outcomes = try await outcomes([
            Request(method: "PUT", path: "/api/users//profile"),
            Request(method: "PUT", path: "/api/users/a/friends/%00"),
            Request(method: "PUT", path: "/api/users/a/friends/b"),
            Request(method: "PUT", path: "/api/users/a/friends/b", caller: service),
        ])
        #expect(outcomes == ["bad_request", "bad_request", "unauthorized", "200"])
    }

    @Test func theCallerIsRefusedBeforeTheBodyUnlessTheRouteSaysOtherwise() async throws {
        let outcomes = try await outcomes([
            Request(method: "POST", path: "/internal/messages", body: "{"),
            Request(method: "POST", path: "/internal/messages", body: "{", caller: service),
            Request(method: "PUT", path: "/api/users/a/profile", body: "{"),
            Request(method: "PUT", path: "/api/users/a/profile", body: "{", caller: service),
            Request(method: "POST", path: "/api/rooms", body: "{"),
            Request(method: "POST", path: "/api/rooms", body: "{}"),
            Request(method: "POST", path: "/api/rooms", body: "{}", caller: service),
        ])
        #expect(
            outcomes
                == [
                    "unauthorized", "bad_request", "unauthorized", "bad_request", "bad_request", "unauthorized", "201",
                ])
    }
}
