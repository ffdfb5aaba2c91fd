import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import Telemetry
import WireProtocols

/// What operators and their tools ask.
struct OperationRoutes: Sendable {
    let services: Services

    static func answers(_ path: [String]) -> Bool {
        path.count == 1 && ["health", "ready", "metrics"].contains(path[0])
    }

    init(services: Services) { self.services = services }

    /// The process serves; nothing more is meant by it.
    func health() -> HTTPResponse {
        .json(
            EventJSON.object { out in
                out.key("status")
                out.string("ok")
                out.key("service")
                out.string("chat-service")
            })
    }

    /// Whether new work is wanted here, and how each dependency stands.
    func ready() async -> HTTPResponse {
        let dependencies = await services.dependencies.report()
        let isDraining = services.readiness.isDraining
        let isReady = !isDraining && !dependencies.contains(where: \.isFatal)
        let body = EventJSON.object { out in
            out.key("ready")
            out.bool(isReady)
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

    func metrics() -> HTTPResponse {
        HTTPResponse(
            status: 200, fields: [HTTPField("Content-Type", MetricsRegistry.contentType)],
            body: services.registry.render())
    }
}
