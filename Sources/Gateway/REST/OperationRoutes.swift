import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import Telemetry
import WireProtocols

/// Health, readiness and metrics, for operators and their tools.
struct OperationRoutes: RouteGroup {
    private let services: Services

    init(services: Services) { self.services = services }

    /// Says only that the process serves requests.
    func health(_: RESTRequest) -> HTTPResponse {
        .json(
            EventJSON.object { out in
                out.member("status", "ok")
                out.member("service", "chat-service")
            })
    }

    /// Whether the instance takes new work, and the state of each dependency.
    func ready(_: RESTRequest) async -> HTTPResponse {
        let dependencies = await services.dependencies.report()
        let isDraining = services.readiness.isDraining
        let isReady = !isDraining && !dependencies.contains(where: \.isFatal)
        let body = EventJSON.object { out in
            out.member("ready", isReady)
            out.key("status")
            out.string(
                isDraining ? "draining" : !isReady ? "unavailable" : dependencies.allSatisfy(\.isUp) ? "ok" : "degraded"
            )
            out.key("dependencies")
            out.object { out in
                for dependency in dependencies {
                    out.key(escaping: dependency.name)
                    out.object { dependency.write(into: &$0) }
                }
            }
        }
        return .json(body, status: isReady ? 200 : 503)
    }

    func metrics(_: RESTRequest) -> HTTPResponse {
        HTTPResponse(
            status: 200, fields: [HTTPField("Content-Type", MetricsRegistry.contentType)],
            body: services.registry.render())
    }
}
