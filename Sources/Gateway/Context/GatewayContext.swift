import ChatCore
import ChatDomain
import Engine
import EventLoop
import Identity
import Telemetry
import Synchronization
import WireProtocols

/// The parts that all shards share beside the chat itself: the rules for connections and requests, and their metrics.
final class GatewayContext: Sendable {
    let configuration: GatewayConfiguration
    let services: Services
    let addresses: AddressLimits
    let metrics: GatewayMetrics
    let engineMetrics: EngineMetrics
    private let liveOrigins: Mutex<OriginPolicy>

    init(configuration: GatewayConfiguration, services: Services, registry: MetricsRegistry) {
        self.configuration = configuration
        self.services = services
        liveOrigins = Mutex(configuration.origins)
        addresses = AddressLimits(
            connectionRate: configuration.connectionRate, callRate: configuration.chat.messageRate)
        metrics = GatewayMetrics(registry)
        engineMetrics = EngineMetrics(registry, prefix: "chat_")
    }

    /// Which pages of other sites may talk to the server; a reload may replace it.
    var origins: OriginPolicy {
        get { liveOrigins.withLock { $0 } }
        set { liveOrigins.withLock { $0 = newValue } }
    }

    /// Where a request came from: the other end of its socket, or the client that a trusted proxy there names.
    func client(of request: HTTPRequest) -> IPAddress {
        guard configuration.isTrustedProxy(request.peer) else { return request.peer }
        return ForwardedAddress.client(of: request.head.headers, isTrusted: configuration.isTrustedProxy)
            ?? request.peer
    }

    /// - Throws: `unauthorized` for a key that is not the configured one, `rate_limited` after too many of those.
    func check(serviceKey key: String?, from address: IPAddress, at now: Moment) throws(ChatError) {
        guard let key, let expected = configuration.serviceKey else { throw .unauthorized }
        try addresses.guardKey(from: address, at: now) { expected.matches(key) }
    }

    /// Logs a request that was refused: its address, path and the reason. Queries hold tokens and are left out.
    func logRefusal(_ code: @autoclosure () -> String, of request: HTTPRequest) {
        services.logger.debug(
            "request refused",
            ["address": "\(request.peer)", "method": request.head.method, "path": request.head.path, "code": code()])
    }
}
