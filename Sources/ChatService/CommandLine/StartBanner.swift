import ChatDomain
import EventLoop
import HTTPClient
import IdentityProviders
import MessagingOutbox
import MessagingWebhooks
import RedisLink
import Telemetry

/// The first lines of the log: the main settings, and warnings for the operator.
enum StartBanner {
    struct Line: Equatable {
        let level: LogLevel
        let message: String
    }

    /// The main settings in words, without credentials.
    static func facts(_ configuration: Configuration) -> [(name: String, value: String)] {
        var facts = [
            ("version", Version.current), ("instance", configuration.instance.value),
            ("listening", address(configuration)),
            ("auth", authentication(configuration.authentication)), ("store", store(configuration.store)),
            ("bus", bus(configuration.redis)), ("events", events(configuration.events)),
            ("webhooks", webhooks(configuration.webhooks)), ("files", files(configuration)),
            ("page", configuration.page == nil ? "off" : "on"),
        ]
        if let listener = configuration.listening.internalListener {
            let isElsewhere = listener.host != configuration.listening.host
            facts.append(("internal", "port \(listener.port)\(isElsewhere ? " on \(listener.host)" : "")"))
        }
        if let environment = configuration.environment { facts.insert(("environment", environment), at: 1) }
        return facts
    }

    static func warnings(_ configuration: Configuration) -> [Line] {
        let authentication = configuration.authentication
        guard authentication.mode == .trusted else { return [] }
        let claim = "TRUSTED MODE: every client is accepted under the user id that it claims"
        if authentication.isTrustedOnPurpose {
            return [Line(level: .warning, message: "\(claim), \(reach(configuration.listening.host))")]
        }
        return [
            Line(
                level: .warning,
                message:
                    "\(claim); listening on loopback only, until JWT_SECRET (or another key) or AUTH_MODE=trusted is set"
            )
        ]
    }

    private static func reach(_ host: String) -> String {
        if IPAddress(host)?.isLoopback == true { return "from this machine only (HOST=\(host))" }
        return ["0.0.0.0", "::"].contains(host) ? "on every address of this machine" : "on HOST=\(host)"
    }

    static func log(_ configuration: Configuration, warnings configured: [String], to logger: Logger) {
        var described = logger
        for (name, value) in facts(configuration) { described = described.with([name: value]) }
        described.notice("chat-service starting")
        for warning in configured { logger.warning("configuration: \(warning)") }
        for line in warnings(configuration) { logger.write(line.level, line.message, [:]) }
    }

    private static func address(_ configuration: Configuration) -> String {
        let listening = configuration.listening
        let host = listening.host.contains(":") ? "[\(listening.host)]" : listening.host
        return "\(listening.tls == nil ? "http" : "https")://\(host):\(listening.port)"
    }

    private static func authentication(_ authentication: Configuration.Authentication) -> String {
        let keys = [
            authentication.secret.map { _ in "shared key" }, authentication.publicKeyFile.map { _ in "public key" },
            authentication.keySetFile.map { _ in "key set" },
            authentication.keySet.map { "key set of \(host(of: $0.text))" },
            authentication.authService.map { "Auth Service at \(host(of: $0))" },
        ].compactMap(\.self)
        return keys.isEmpty
            ? authentication.mode.rawValue : "\(authentication.mode.rawValue) (\(keys.joined(separator: ", ")))"
    }

    private static func host(of url: String) -> String { Origin(of: url).map { "\($0.host):\($0.port)" } ?? "" }

    private static func store(_ store: Configuration.Store) -> String {
        switch store {
        case .embedded(let directory): "SQLite in \(directory)"
        case .mongo: "MongoDB"
        }
    }

    private static func files(_ configuration: Configuration) -> String {
        switch configuration.files?.store {
        case .disk: "in \(configuration.dataDirectory)/files"
        case .mongodb: "MongoDB"
        case nil: "off"
        }
    }

    private static func bus(_ redis: RedisDeployment?) -> String {
        redis.map { "Redis at \($0)" } ?? "in process (one instance)"
    }

    private static func webhooks(_ webhooks: Configuration.Webhooks) -> String {
        let receivers = (webhooks.webhooks?.urls ?? []).map(host)
        let hook = webhooks.beforeMessage.map { "hook before messages at \(host(of: $0.url))" }
        let parts = (receivers.isEmpty ? [] : ["to \(receivers.joined(separator: ", "))"]) + [hook].compactMap(\.self)
        return parts.isEmpty ? "off" : parts.joined(separator: ", ")
    }

    private static func events(_ events: Configuration.Events?) -> String {
        guard let events else { return "off" }
        let hosts = events.brokers.map(\.host).joined(separator: ", ")
        return "RabbitMQ at \(hosts), queue \(events.newMessageQueue), one per \(events.mode.rawValue)"
    }
}
