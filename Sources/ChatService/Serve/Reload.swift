import Crypto
import Gateway
import Identity
import Telemetry

/// The reload on `SIGHUP`: reads `.env`, certificates and keys again, and uses them for new connections.
///
/// A reload takes effect as a whole or not at all. A warning lists changed variables that take effect at
/// start alone.
struct Reload: Sendable {
    private let source: ConfigurationSource
    /// The configuration that the process was started with.
    private let started: LoadedConfiguration
    private let replaceCredentials: @Sendable (ServiceCredentials) async throws(TLSError) -> [LiveCredentials.Kind]
    private let logger: Logger
    private let applied: Counter
    private let refused: Counter

    /// - Parameter replaceCredentials: uses other certificates and keys for new connections; returns the kinds it replaced.
    init(
        source: ConfigurationSource, started: LoadedConfiguration,
        replaceCredentials: @escaping @Sendable (ServiceCredentials) async throws(TLSError) -> [LiveCredentials.Kind],
        logger: Logger, registry: MetricsRegistry
    ) {
        self.source = source
        self.started = started
        self.replaceCredentials = replaceCredentials
        self.logger = logger
        func counter(_ result: String) -> Counter {
            registry.counter(
                "chat_reloads_total", help: "Reloads of certificates and keys, by their result.",
                labels: ["result": result])
        }
        applied = counter("applied")
        refused = counter("refused")
    }

    /// Reads and uses everything once. Never throws: a failure is logged, counted, and changes nothing.
    func perform() async {
        do {
            let renewed = try source.load()
            for warning in renewed.warnings { logger.warning("configuration: \(warning)") }
            let credentials = try ServiceCredentials(renewed.configuration)
            credentials.logIgnoredKeys(to: logger)
            let replaced = try await replaceCredentials(credentials)
            warnOfRestart(renewed, except: replaced)
            applied.add()
            logger.notice("reloaded", ["replaced": replaced.map(\.rawValue).joined(separator: ", ")])
        } catch {
            refused.add()
            let problems = (error as? InvalidConfiguration)?.problems ?? ["\(error)"]
            logger.error(
                "reload refused; the previous certificates and keys stay in use",
                ["reason": problems.joined(separator: "; ")])
        }
    }

    private func warnOfRestart(_ renewed: LoadedConfiguration, except replaced: [LiveCredentials.Kind]) {
        let names = renewed.changes(since: started).subtracting(replaced.flatMap(\.variables)).sorted()
        guard !names.isEmpty else { return }
        logger.warning(
            "changed variables take effect at the next start", ["variables": names.joined(separator: ", ")])
    }
}

/// The credentials that a running instance uses, and that a reload replaces.
struct LiveCredentials: Sendable {
    enum Kind: String, Sendable {
        case certificate
        case tokenKeys = "token keys"
        case serviceKey = "service key"

        /// The names of the variables that this kind is configured by.
        var variables: [String] {
            switch self {
            case .certificate: [Variables.tlsCertificate.name, Variables.tlsKey.name]
            case .tokenKeys:
                [Variables.jwtSecret.name, Variables.jwtPublicKeyFile.name, Variables.jwtJWKSFile.name]
            case .serviceKey: [Variables.serviceKey.name]
            }
        }
    }

    /// nil: no key verified tokens at start.
    let verifier: TokenVerifier?
    /// nil: no service could call at start.
    let serviceKey: ServiceKey?
    let usesTLS: Bool

    init(_ credentials: ServiceCredentials, _ authentication: Configuration.Authentication) {
        verifier = credentials.tokenKeys.map { authentication.verifier($0) }
        serviceKey = credentials.serviceKey.map { ServiceKey($0.text) }
        usesTLS = credentials.tls != nil
    }

    /// Replaces each kind that was configured at start and still is.
    ///
    /// - Returns: the kinds that were replaced.
    func replace(with credentials: ServiceCredentials, in gateway: Gateway) async throws(TLSError) -> [Kind] {
        var replaced: [Kind] = []
        if usesTLS, let tls = credentials.tls {
            try await gateway.replaceTLSCredentials(tls)
            replaced.append(.certificate)
        }
        if let verifier, let keys = credentials.tokenKeys {
            verifier.replaceKeys(keys)
            replaced.append(.tokenKeys)
        }
        if let serviceKey, let secret = credentials.serviceKey {
            serviceKey.replace(with: secret.text)
            replaced.append(.serviceKey)
        }
        return replaced
    }
}

extension ServiceCredentials {
    /// Logs keys of a key set that verify nothing here, each with its reason.
    func logIgnoredKeys(to logger: Logger) {
        guard let ignored = tokenKeys?.ignored, !ignored.isEmpty else { return }
        logger.warning(
            "the key set holds keys that are not used", ["reasons": ignored.prefix(10).joined(separator: "; ")])
    }
}
