import ChatCore
import ChatProtocol
import ChatDomain
import Crypto
import Engine
import EventLoop
import Gateway
import Identity
import PersistenceInProcess
import PersistenceMongoDB
import PersistenceSQLite
import RedisLink
import Telemetry

/// From what the operator decided to what the parts are made with.
extension Configuration {
    func gateway() throws -> GatewayConfiguration {
        var gateway = GatewayConfiguration(instance: instance)
        gateway.engine = engine
        gateway.chat.commands.maximumMessageBytes = limits.messageBytes
        gateway.chat.roomLimits.maximumParticipants = rooms.maximumParticipants
        gateway.chat.roomLimits.graceMilliseconds = Int64(presence.grace)
        gateway.chat.roomLimits.isForFriendsOnly = presence.visibility == .friends
        gateway.chat.createsRoomsOnJoin = rooms.createsOnJoin
        gateway.chat.presence = presenceSettings
        gateway.chat.messageRate = limits.messageRate ?? 0
        gateway.connectionRate = limits.connectionRate ?? 0
        gateway.chat.requiresAuthentication = authentication.mode == .token
        gateway.serviceKey = authentication.serviceKey.map { ServiceKey($0.text) }
        gateway.internalRequiresKey = listening.internalListener?.authentication != .open
        let proxies = listening.trustedProxies
        gateway.isTrustedProxy = { proxies.contains($0) }
        gateway.origins = listening.origins
        gateway.believesLoopbackNamesOnly =
            authentication.mode == .trusted && IPAddress(listening.host)?.isLoopback == true
        gateway.internalBelievesLoopbackNamesOnly =
            !gateway.internalRequiresKey
            && listening.internalListener.flatMap { IPAddress($0.host) }?.isLoopback == true
        if let page { gateway.client = try page.files() }
        return gateway
    }

    private var presenceSettings: PresenceSettings {
        var settings = PresenceSettings()
        settings.isForFriendsOnly = presence.visibility == .friends
        if case .embedded = store { settings.storesForItself = true }
        settings.isPublic = presence.isPublic
        settings.grace = .milliseconds(presence.grace)
        settings.awayAfter = presence.awayAfter.map { .milliseconds($0) }
        return settings
    }

    func openDirectory() -> any SessionDirectory {
        InProcessDirectory(instance: instance, maximumSessions: limits.connectionsPerUser ?? 0)
    }

    private var engine: EngineConfiguration {
        var engine = EngineConfiguration()
        engine.maximumBodyBytes = limits.frameBytes
        engine.maximumMessageBytes = limits.frameBytes
        engine.hardOutputLimit = limits.outputQueueBytes
        engine.softOutputLimit = limits.outputQueueSoftBytes
        engine.slowReaderCloseCode = CloseCode.slowConsumer.rawValue
        engine.pollingOutputLimit = 4 * limits.outputQueueBytes
        // Sockets end there anyway; sessions that poll need none of their own.
        engine.maximumConnections = limits.connections ?? ProcessMetrics.descriptorLimit()
        engine.tls = listening.tls.map { Engine.TLSFiles(certificateChain: $0.certificate, privateKey: $0.key) }
        return engine
    }

    func openStore() async throws(StoreError) -> any DurableStore {
        let options = StoreOptions(
            outboxOwner: events == nil ? nil : instance, maximumParticipants: rooms.maximumParticipants)
        switch store {
        case .embedded(let directory): return try SQLiteStore(directory: directory, options: options)
        case .mongo(let uri): return try await MongoStore.open(uri: uri.text, options: options)
        }
    }

    /// Nil where the store has backups of its own.
    func controlServer(of store: any DurableStore, logger: Logger) -> ControlServer? {
        guard case .embedded(let directory) = self.store, let store = store as? SQLiteStore else { return nil }
        do throws(ControlSocket.Failure) {
            return try ControlServer(directory: directory, store: store, logger: logger)
        } catch {
            logger.warning("there will be no backups while this runs", ["reason": error.description])
            return nil
        }
    }

    func authenticationPolicy(logger: Logger) throws(InvalidConfiguration) -> AuthenticationPolicy {
        AuthenticationPolicy(
            mode: authentication.mode == .token ? .token : .trusted, verifier: try authentication.verifier(),
            noteRefusal: { logger.debug("token refused", ["reason": $0.description]) })
    }
}

extension RedisEndpoint {
    /// The same server, as the link to it is opened.
    var link: RedisLink.RedisEndpoint {
        RedisLink.RedisEndpoint(
            host: host, port: UInt16(port), user: user, password: password?.text, database: database,
            tls: usesTLS ? .system : nil)
    }
}

extension Configuration.Page {
    func files() throws -> StaticFiles {
        var files = try StaticFiles(directory: directory)
        if let socketIOClientFile { try files.add(path: "/client/vendor/socket.io.min.js", file: socketIOClientFile) }
        return files
    }
}
