import ChatDomain
import EventLoop
import Gateway
import HTTPClient
import IdentityProviders
import RedisLink
import Telemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A configuration, with warnings for the operator.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let warnings: [String]
    /// Every variable with the text in force, secrets masked.
    let settings: [EffectiveSetting]

    /// The names of variables whose text differs. A secret counts as changed only when it is set in one of the two alone.
    func changes(since other: Self) -> Set<String> {
        let values = Dictionary(other.settings.map { ($0.name, $0.value) }) { first, _ in first }
        return Set(settings.filter { values[$0.name] != $0.value }.map(\.name))
    }
}

extension Configuration {
    /// - Parameters:
    ///   - environment: the process's environment.
    ///   - file: the text of the `.env` file, or nil without one. The environment takes precedence over it.
    static func load(
        environment: [String: String], file: String?, system: SystemFacts
    ) throws(InvalidConfiguration) -> LoadedConfiguration {
        var reader = ConfigurationReader(environment: environment, file: EnvironmentFile(parsing: file ?? ""))
        let configuration = Configuration(reading: &reader, system: system)
        guard reader.problems.isEmpty else {
            throw InvalidConfiguration(problems: reader.problems, warnings: reader.warnings)
        }
        let settings = Variables.all.map { reader.effective($0) }
        return LoadedConfiguration(configuration: configuration, warnings: reader.warnings, settings: settings)
    }

    /// Reads every variable, so that all problems are found; the result counts only when the reader found none.
    init(reading reader: inout ConfigurationReader, system: SystemFacts) {
        let authentication = Authentication(reading: &reader)
        let dataDirectory = reader.value(Variables.dataDirectory)
        let environment = reader.optional(Variables.environment)
        let nodeEnvironment = reader.optional(Variables.nodeEnvironment)
        let store = Self.store(reading: &reader, dataDirectory: dataDirectory)
        let redis = Self.redis(reading: &reader)
        let limits = Limits(reading: &reader)
        let listening = Listening(reading: &reader, authentication: authentication, system: system)
        // It is read before there is a reader; here it is validated.
        _ = reader.optional(Variables.configurationFile)
        self.init(
            instance: reader.optional(Variables.instanceID) ?? system.instance,
            deployment: reader.optional(Variables.deploymentID)
                ?? DeploymentID(redisDatabase: redis?.access.database ?? 0, store: store.name),
            environment: environment ?? nodeEnvironment,
            shutdownGrace: reader.value(Variables.shutdownGrace),
            listening: listening,
            logging: Logging(reading: &reader, system: system),
            tracing: Self.tracing(reading: &reader),
            authentication: authentication,
            store: store,
            dataDirectory: dataDirectory, commitSpacing: reader.value(Variables.commitSpacing),
            redis: redis,
            events: Self.events(reading: &reader),
            webhooks: Webhooks(reading: &reader, maximumMessageBytes: limits.messageBytes),
            limits: limits,
            rooms: Rooms(reading: &reader),
            presence: Presence(reading: &reader),
            files: Self.files(reading: &reader, store: store, isFleet: redis != nil),
            page: Self.page(reading: &reader, authentication: authentication, system: system),
            management: Management(reading: &reader, host: listening.host, system: system))
    }

    private static func store(reading reader: inout ConfigurationReader, dataDirectory: String) -> Store {
        guard let uri = reader.optional(Variables.mongoURI) else { return .embedded(directory: dataDirectory) }
        let (refusals, warnings) = MongoURI(uri.text).durabilityProblems
        for refusal in refusals { reader.refuse("MONGODB_URI: \(refusal)") }
        for warning in warnings { reader.warn("MONGODB_URI: \(warning)") }
        return .mongo(uri: uri)
    }

    private static func redis(reading reader: inout ConfigurationReader) -> RedisDeployment? {
        let url = reader.optional(Variables.redisURL)
        let host = reader.optional(Variables.redisHost)
        let port = reader.value(Variables.redisPort)
        let password = reader.optional(Variables.redisPassword)
        if url != nil, host != nil { reader.warn("REDIS_HOST is ignored, since REDIS_URL is set") }
        if let url { return url }
        if let host { return .single(RedisEndpoint(host: host, port: UInt16(port), password: password?.text)) }
        if password != nil, !reader.isSet(Variables.redisURL) {
            reader.warn("REDIS_PASSWORD does nothing without REDIS_HOST")
        }
        return nil
    }

    private static func events(reading reader: inout ConfigurationReader) -> Events? {
        let brokers = reader.optional(Variables.rabbitURL)
        let queue = reader.value(Variables.newMessageQueue)
        let changesQueue = reader.optional(Variables.changesQueue)
        let presenceQueue = reader.optional(Variables.presenceQueue)
        let queueType = reader.value(Variables.queueType)
        let mode = reader.value(Variables.eventMode)
        return brokers.map {
            Events(
                brokers: $0, newMessageQueue: queue, changesQueue: changesQueue, presenceQueue: presenceQueue,
                queueType: queueType, mode: mode)
        }
    }

    private static func tracing(reading reader: inout ConfigurationReader) -> Tracing? {
        let headers = reader.optional(Variables.tracesHeaders)
        let serviceName = reader.value(Variables.tracesServiceName)
        let ratio = reader.value(Variables.tracesRatio)
        return reader.optional(Variables.tracesEndpoint).map {
            Tracing(endpoint: $0, headers: headers, serviceName: serviceName, ratio: ratio)
        }
    }

    private static func files(reading reader: inout ConfigurationReader, store: Store, isFleet: Bool) -> Files? {
        let maximumBytes = reader.value(Variables.fileBytes)
        let isMongo = if case .mongo = store { true } else { false }
        let chosen = reader.optional(Variables.filesStore) ?? (isMongo ? .mongodb : .disk)
        if chosen == .mongodb, !isMongo { reader.refuse("FILES_STORE=mongodb needs MONGODB_URI") }
        guard maximumBytes > 0 else { return nil }
        if chosen == .disk, isMongo, isFleet {
            reader.warn(
                "FILES_STORE=disk: instances can read one another's files only where DATA_DIR/files is one directory")
        }
        return Files(maximumBytes: maximumBytes, store: chosen)
    }

    private static func page(
        reading reader: inout ConfigurationReader, authentication: Authentication, system: SystemFacts
    ) -> Page? {
        let wanted = reader.optional(Variables.serveClient)
        let directory = reader.optional(Variables.clientDirectory) ?? system.clientDirectory
        let socketIOClientFile = reader.optional(Variables.socketIOClientFile)
        guard wanted ?? (authentication.mode == .trusted) else { return nil }
        guard let directory else {
            if wanted == true, !reader.isSet(Variables.clientDirectory) {
                reader.refuse("SERVE_CLIENT=true, but no client-example directory was found; set CLIENT_DIR")
            }
            return nil
        }
        return Page(directory: directory, socketIOClientFile: socketIOClientFile)
    }
}

extension Configuration.Listening {
    init(
        reading reader: inout ConfigurationReader, authentication: Configuration.Authentication, system: SystemFacts
    ) {
        host = Self.host(reading: &reader, authentication: authentication)
        port = reader.value(Variables.port)
        origins = reader.optional(Variables.corsOrigin) ?? .sameOrigin
        trustedProxies = reader.optional(Variables.trustedProxies) ?? TrustedProxies()
        eventLoops = reader.optional(Variables.eventLoops) ?? min(system.cores, 256)
        tls = Self.tls(reading: &reader)
        internalListener = Self.internalListener(reading: &reader, host: host, authentication: authentication)
        if internalListener?.port == port { reader.refuse("INTERNAL_PORT must differ from PORT (\(port))") }
    }

    private static func host(
        reading reader: inout ConfigurationReader, authentication: Configuration.Authentication
    ) -> String {
        let host = reader.optional(Variables.host)
        let isUnguarded = authentication.mode == .trusted && !authentication.isTrustedOnPurpose
        guard let host else { return isUnguarded ? "127.0.0.1" : "0.0.0.0" }
        if isUnguarded, IPAddress(host)?.isLoopback != true {
            reader.refuse(
                "HOST=\(host) would accept any user id from any address, as no key is configured; "
                    + "set JWT_SECRET (or another key), or AUTH_MODE=trusted if that is intended")
        }
        return host
    }

    private static func tls(reading reader: inout ConfigurationReader) -> Configuration.TLSPaths? {
        let certificate = reader.optional(Variables.tlsCertificate)
        let key = reader.optional(Variables.tlsKey)
        if reader.isSet(Variables.tlsCertificate) != reader.isSet(Variables.tlsKey) {
            reader.refuse("TLS_CERT_FILE and TLS_KEY_FILE go together: one of them is not set")
        }
        guard let certificate, let key else { return nil }
        return .init(certificate: certificate, key: key)
    }

    private static func internalListener(
        reading reader: inout ConfigurationReader, host: String, authentication: Configuration.Authentication
    ) -> Configuration.InternalListener? {
        let port = reader.optional(Variables.internalPort)
        let internalHost = reader.optional(Variables.internalHost)
        let mode = reader.value(Variables.internalAuth)
        guard let port else { return nil }
        if mode == .key, !reader.isSet(Variables.serviceKey) {
            reader.refuse(
                "INTERNAL_PORT needs SERVICE_API_KEY, or INTERNAL_AUTH=none on a network that admits services only")
        }
        return .init(host: internalHost ?? host, port: port, authentication: mode)
    }
}

extension Configuration.Authentication {
    /// RFC 7518, section 3.2: a key of HS256 has at least the size of the hash.
    private static let shortestSecret = 32

    init(reading reader: inout ConfigurationReader) {
        secret = reader.optional(Variables.jwtSecret)
        publicKeyFile = reader.optional(Variables.jwtPublicKeyFile)
        keySetFile = reader.optional(Variables.jwtJWKSFile)
        let oidcIssuer = reader.optional(Variables.oidcIssuer)
        keySet = Self.keySet(reading: &reader, issuer: oidcIssuer)
        authService = Self.authService(reading: &reader)
        certificateAuthorities = reader.optional(Variables.authCAFile)
        issuer = reader.optional(Variables.jwtIssuer) ?? oidcIssuer
        audience = reader.optional(Variables.jwtAudience)
        if oidcIssuer != nil, audience == nil {
            reader.warn("without JWT_AUDIENCE tokens are accepted that OIDC_ISSUER made for any other application")
        }
        tokenLifetime = reader.value(Variables.jwtExpiration)
        serviceKey = reader.optional(Variables.serviceKey)
        let chosen = reader.optional(Variables.authMode)
        // A key that cannot be read counts as configured, so that its problem does not cause another one about HOST.
        let keyed: [any AnyVariable] = [
            Variables.jwtSecret, Variables.jwtPublicKeyFile, Variables.jwtJWKSFile, Variables.jwtJWKSURL,
            Variables.oidcIssuer, Variables.authGRPCURL,
        ]
        let isKeyed = keyed.contains { reader.isSet($0) }
        mode = chosen ?? (isKeyed ? .token : .trusted)
        isTrustedOnPurpose = chosen == .trusted || (chosen == nil && reader.isSet(Variables.authMode))
        if mode == .token, !isKeyed {
            reader.refuse("AUTH_MODE=token needs one of \(keyed.map(\.name).joined(separator: ", "))")
        }
        if let secret, secret.text.utf8.count < Self.shortestSecret {
            let complaint = "JWT_SECRET is shorter than \(Self.shortestSecret) bytes and can be guessed from any token"
            if mode == .token {
                reader.refuse("\(complaint); make one with: openssl rand -hex 32")
            } else {
                reader.warn(complaint)
            }
        }
    }
}

extension Configuration.Authentication {
    private static func keySet(reading reader: inout ConfigurationReader, issuer: String?) -> KeySetLocation? {
        let url = reader.optional(Variables.jwtJWKSURL)
        if reader.isSet(Variables.jwtJWKSURL), reader.isSet(Variables.oidcIssuer) {
            reader.refuse("JWT_JWKS_URL and OIDC_ISSUER name the same thing; set one of them")
        }
        for (variable, url) in [(Variables.jwtJWKSURL, url), (Variables.oidcIssuer, issuer)] {
            guard let url, let origin = Origin(of: url), origin.scheme == "http", !origin.isLoopback else { continue }
            reader.warn("\(variable.name) is without TLS: a program on the way to it can make tokens")
        }
        return url.map(KeySetLocation.url) ?? issuer.map(KeySetLocation.issuer)
    }

    private static func authService(reading reader: inout ConfigurationReader) -> String? {
        let method = reader.value(Variables.authGRPCMethod)
        return reader.optional(Variables.authGRPCURL).map { $0 + method }
    }
}

extension Origin {
    fileprivate var isLoopback: Bool {
        host == "localhost" || IPAddress(host.filter { $0 != "[" && $0 != "]" })?.isLoopback == true
    }
}

extension Configuration.Logging {
    init(reading reader: inout ConfigurationReader, system: SystemFacts) {
        level = reader.value(Variables.logLevel)
        let chosen = reader.optional(Variables.logFormat) ?? (system.isTerminal ? .pretty : .json)
        format = chosen == .json ? .json : .pretty(colours: system.isTerminal)
        directory = reader.optional(Variables.logDirectory)
    }
}

extension Configuration.Management {
    init(reading reader: inout ConfigurationReader, host: String, system: SystemFacts) {
        let wanted = reader.optional(Variables.admin)
        let directory = reader.optional(Variables.adminDirectory) ?? system.adminDirectory
        let role = reader.optional(Variables.adminRole)
        auditDays = reader.value(Variables.auditDays)
        auditEntries = reader.value(Variables.auditEntries)
        guard wanted ?? (IPAddress(host)?.isLoopback == true) else { return }
        self.role = role
        pageDirectory = directory
        if wanted == true, directory == nil, !reader.isSet(Variables.adminDirectory) {
            reader.refuse("ADMIN=true, but no admin-page directory was found; set ADMIN_DIR")
        }
    }
}

extension Configuration.Limits {
    init(reading reader: inout ConfigurationReader) {
        connections = reader.value(Variables.maximumConnections)
        connectionsPerUser = reader.value(Variables.connectionsPerUser)
        messageBytes = reader.value(Variables.messageBytes)
        frameBytes = reader.value(Variables.frameBytes)
        messageRate = reader.value(Variables.messageRate)
        connectionRate = reader.value(Variables.connectionRate)
        outputQueueBytes = reader.value(Variables.outputQueueBytes)
        if messageBytes > frameBytes {
            reader.refuse("MAX_MESSAGE_BYTES=\(messageBytes) does not fit into MAX_FRAME_BYTES=\(frameBytes)")
        }
    }
}

extension Configuration.Rooms {
    init(reading reader: inout ConfigurationReader) {
        createsOnJoin = reader.value(Variables.createOnJoin)
        maximumParticipants = reader.value(Variables.roomParticipants)
        editWindow = reader.value(Variables.editWindow).map { .seconds($0) }
        cachedMessages = reader.value(Variables.historyMessages)
        cacheLifetime = reader.value(Variables.historyLifetime)
        retentionDays = reader.value(Variables.retentionDays)
    }
}

extension Configuration.Presence {
    init(reading reader: inout ConfigurationReader) {
        visibility = reader.value(Variables.presenceVisibility)
        gracePeriod = reader.value(Variables.presenceGrace)
        awayAfter = reader.value(Variables.presenceAwayAfter)
        isPublic = reader.value(Variables.presenceIsPublic)
    }
}
