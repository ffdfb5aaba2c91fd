import ChatCore
import ChatDomain
import Gateway
import HTTPClient
import Identity
import IdentityProviders
import Telemetry

/// The other servers that decide about tokens: the identity provider's key set, and the Auth Service.
struct IdentityServices: Sendable {
    private let client: HTTPClient
    private let keySet: RemoteKeySet?
    private let authService: AuthService?

    /// nil where none is configured.
    init?(_ authentication: Configuration.Authentication, logger: Logger, registry: MetricsRegistry) throws {
        guard authentication.keySet != nil || authentication.authService != nil else { return nil }
        var settings = HTTPClient.Settings(
            name: "identity", certificateAuthorities: authentication.certificateAuthorities)
        settings.maximumConnections = 64
        settings.maximumConnectionsPerHost = 64
        let client = try HTTPClient(settings)
        self.client = client
        keySet = authentication.keySet.map { location in
            RemoteKeySet(
                location, client: client, issuer: authentication.issuer, audience: authentication.audience,
                clock: { Now.system.monotonic }, logger: logger, registry: registry)
        }
        authService = authentication.authService.map { url in
            AuthService(url: url, client: client, clock: { Now.system }, logger: logger, registry: registry)
        }
    }

    /// The key set first: it decides without a call.
    var authorities: [any TokenAuthority] {
        let all: [(any TokenAuthority)?] = [keySet, authService]
        return all.compactMap(\.self)
    }

    /// Neither is required: tokens of other authorities are verified, and live sessions stay.
    func start(reportingTo dependencies: Dependencies) {
        if let keySet {
            keySet.start()
            dependencies.add("key_set", isRequired: false) {
                switch keySet.condition {
                case .current: .up
                case .outdated(let reason): .degraded(reason: reason)
                case .missing(let reason): .down(reason: reason)
                }
            }
        }
        if let authService {
            dependencies.add("auth_service", isRequired: false) {
                authService.failureReason().map(DependencyCondition.down(reason:)) ?? .up
            }
        }
    }

    /// Fetches the key set again; why it could not be had. nil where none is fetched.
    var refetchKeySet: (@Sendable () async -> String?)? {
        guard let keySet else { return nil }
        return { await keySet.refetch() }
    }

    func stop() async {
        keySet?.stop()
        await client.close()
    }
}
