import ChatDomain
import HTTPClient
import Telemetry
import Tracing

/// The parts of an instance that export traces of messages.
struct TracingServices: Sendable {
    private let client: HTTPClient
    private let exporter: SpanExporter
    let tracer: any MessageTracer

    init(
        _ configuration: Configuration, _ tracing: Configuration.Tracing, logger: Logger, registry: MetricsRegistry
    ) throws {
        client = try HTTPClient(HTTPClient.Settings(name: "traces"))
        let base = tracing.endpoint.hasSuffix("/") ? String(tracing.endpoint.dropLast()) : tracing.endpoint
        var resource = [
            Span.Attribute("service.name", tracing.serviceName),
            Span.Attribute("service.instance.id", configuration.instance.value),
            Span.Attribute("service.version", Version.current),
        ]
        if let environment = configuration.environment {
            resource.append(Span.Attribute("deployment.environment.name", environment))
        }
        let exporter = SpanExporter(
            SpanExporter.Settings(
                url: base + "/v1/traces",
                fields: tracing.headers?.fields.map { ($0.name, $0.value.text) } ?? [], resource: resource,
                version: Version.current),
            client: client, logger: logger, registry: registry)
        self.exporter = exporter
        tracer = MessageTraces(ratio: tracing.ratio, clock: WallClock.microseconds) { exporter.add($0) }
    }

    func start() { exporter.start() }

    func stop() async {
        await exporter.stop()
        await client.close()
    }
}
