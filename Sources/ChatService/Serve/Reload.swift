import ChatCore
import Crypto
import Gateway
import Identity
import Synchronization
import Telemetry

/// The reload on `SIGHUP` and on `POST /internal/reload`: reads the configuration's file, certificates and keys again, and uses
/// what a running process can use.
///
/// A reload takes effect as a whole or not at all. Reloads follow one another; requests that come while one waits share it.
final class Reload: Sendable {
    /// The parts of the running instance that take new settings.
    struct Targets: Sendable {
        /// Uses other certificates and keys for new connections; returns the kinds it replaced.
        var replaceCredentials: @Sendable (ServiceCredentials) async throws(TLSError) -> [LiveCredentials.Kind]
        /// Fetches the identity provider's key set again; why it could not be had. nil: no key set is fetched.
        var refetchKeySet: (@Sendable () async -> String?)?
        var replaceOrigins: @Sendable (OriginPolicy) -> Void
        var replaceRates: @Sendable (_ messages: Int, _ connections: Int) -> Void
    }

    private struct State {
        var running: Task<ReloadReport, Never>?
        /// Begins when the running one has ended.
        var waiting: Task<ReloadReport, Never>?
    }

    private let source: ConfigurationSource
    /// The configuration that the process was started with.
    private let started: LoadedConfiguration
    private let targets: Targets
    private let logger: Logger
    private let applied: Counter
    private let refused: Counter
    private let state = Mutex(State())

    init(
        source: ConfigurationSource, started: LoadedConfiguration, targets: Targets, logger: Logger,
        registry: MetricsRegistry
    ) {
        self.source = source
        self.started = started
        self.targets = targets
        self.logger = logger
        func counter(_ result: String) -> Counter {
            registry.counter(
                "chat_reloads_total", help: "Reloads of settings, certificates and keys, by their result.",
                labels: ["result": result])
        }
        applied = counter("applied")
        refused = counter("refused")
    }

    /// Reads and uses everything once, after the reload that is under way. Never throws: a failure is logged, counted, and
    /// changes nothing.
    func perform() async -> ReloadReport {
        let task = state.withLock { state -> Task<ReloadReport, Never> in
            if let waiting = state.waiting { return waiting }
            guard let running = state.running else {
                let task = Task { await self.run() }
                state.running = task
                return task
            }
            let task = Task {
                _ = await running.value
                self.state.withLock { state in
                    state.running = state.waiting
                    state.waiting = nil
                }
                return await self.run()
            }
            state.waiting = task
            return task
        }
        return await task.value
    }

    private func run() async -> ReloadReport {
        let report = await reload()
        state.withLock { if $0.waiting == nil { $0.running = nil } }
        return report
    }

    private func reload() async -> ReloadReport {
        do {
            let renewed = try source.load()
            for warning in renewed.warnings { logger.warning("configuration: \(warning)") }
            let credentials = try ServiceCredentials(renewed.configuration)
            credentials.logIgnoredKeys(to: logger)
            let replaced = try await targets.replaceCredentials(credentials)
            return await finish(renewed, replaced)
        } catch {
            refused.add()
            let problems = (error as? InvalidConfiguration)?.problems ?? ["\(error)"]
            let reason = problems.joined(separator: "; ")
            logger.error(
                "reload refused; the previous settings, certificates and keys stay in use", ["reason": reason])
            return ReloadReport(error: reason)
        }
    }

    /// Uses the settings that cannot fail.
    private func finish(
        _ renewed: LoadedConfiguration, _ replaced: [LiveCredentials.Kind]
    ) async -> ReloadReport {
        let configuration = renewed.configuration
        logger.level = configuration.logging.level
        targets.replaceRates(configuration.limits.messageRate ?? 0, configuration.limits.connectionRate ?? 0)
        targets.replaceOrigins(configuration.listening.origins)
        var report = ReloadReport()
        report.applied = replaced.map(\.rawValue) + ["log level", "rates", "origins"]
        if let refetchKeySet = targets.refetchKeySet {
            if let failure = await refetchKeySet() {
                report.warnings.append("the key set was not fetched; the previous one stays in use: \(failure)")
            } else {
                report.applied.append("key set")
            }
        }
        report.restartNeeded = restartNeeded(renewed, except: replaced)
        applied.add()
        logger.notice("reloaded", ["replaced": replaced.map(\.rawValue).joined(separator: ", ")])
        if !report.restartNeeded.isEmpty {
            logger.warning(
                "changed variables take effect at the next start",
                ["variables": report.restartNeeded.joined(separator: ", ")])
        }
        return report
    }

    private func restartNeeded(
        _ renewed: LoadedConfiguration, except replaced: [LiveCredentials.Kind]
    ) -> [String] {
        let live = [
            Variables.logLevel.name, Variables.messageRate.name, Variables.connectionRate.name,
            Variables.corsOrigin.name,
        ]
        return renewed.changes(since: started).subtracting(live + replaced.flatMap(\.variables)).sorted()
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
