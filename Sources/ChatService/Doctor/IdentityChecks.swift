import ChatDomain
import Gateway
import HTTPClient
import Identity
import IdentityProviders
import Telemetry

/// The servers that decide about tokens.
enum IdentityChecks {
    static func findings(_ configuration: Configuration) async -> [Finding] {
        let authentication = configuration.authentication
        guard authentication.keySet != nil || authentication.authService != nil else { return [] }
        let settings = HTTPClient.Settings(
            name: "doctor", certificateAuthorities: authentication.certificateAuthorities)
        guard let client = try? HTTPClient(settings) else {
            return [.error("key_set", "the system gives no thread", do: "raise the limit of tasks (TasksMax)")]
        }
        var findings: [Finding] = []
        if let location = authentication.keySet { findings.append(await keySet(location, authentication, client)) }
        if let url = authentication.authService { findings.append(await authService(url, client)) }
        await client.close()
        return findings
    }

    private static func keySet(
        _ location: KeySetLocation, _ authentication: Configuration.Authentication, _ client: HTTPClient
    ) async -> Finding {
        let set = RemoteKeySet(
            location, client: client, issuer: authentication.issuer, audience: authentication.audience,
            clock: { Now.system.monotonic }, logger: .disabled, registry: MetricsRegistry())
        // A token of no key has the set fetched.
        _ = await set.verdict(on: "", now: Now.system)
        switch set.condition {
        case .current: return .ok("key_set", "the key set of \(host(location.text)) holds keys that verify tokens")
        case .outdated(let reason), .missing(let reason):
            return .error(
                "key_set", "\(host(location.text)): \(reason)",
                do: "let this host reach the provider, and check JWT_JWKS_URL, OIDC_ISSUER and AUTH_CA_FILE")
        }
    }

    private static func authService(_ url: String, _ client: HTTPClient) async -> Finding {
        let service = AuthService(
            url: url, client: client, clock: { Now.system }, logger: .disabled, registry: MetricsRegistry())
        _ = await service.verdict(on: "", now: Now.system)
        guard let reason = service.failureReason() else {
            return .ok("auth_service", "the Auth Service at \(host(url)) answers")
        }
        return .error(
            "auth_service", "\(host(url)): \(reason)",
            do: "start the service, and check AUTH_GRPC_URL, AUTH_GRPC_METHOD and AUTH_CA_FILE")
    }

    private static func host(_ url: String) -> String { Origin(of: url).map { "\($0.host):\($0.port)" } ?? "" }
}
