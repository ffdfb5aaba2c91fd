import ChatCore
import ChatProtocol
import ChatDomain
import Crypto
import Engine
import EventLoop
import Gateway
import Identity
import MessagingWebhooks
import PersistenceDisk
import PersistenceInProcess
import PersistenceMongoDB
import PersistenceSQLite
import RedisLink
import Telemetry

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Translates the configuration into the settings of the parts.
extension Configuration {
    func gateway(tls: TLSCredentials?, serviceKey: ServiceKey?) throws -> GatewayConfiguration {
        var gateway = GatewayConfiguration(instance: instance)
        gateway.engine = engine
        gateway.engine.tls = tls
        gateway.serviceKey = serviceKey
        gateway.chat.commands.maximumMessageBytes = limits.messageBytes
        gateway.chat.roomLimits.maximumParticipants = rooms.maximumParticipants
        gateway.chat.roomLimits.editWindow = rooms.editWindow
        gateway.chat.roomLimits.gracePeriod = presence.gracePeriod
        gateway.chat.roomLimits.isForFriendsOnly = presence.visibility == .friends
        gateway.chat.retention = RetentionRule(days: rooms.retentionDays)
        gateway.chat.createsRoomsOnJoin = rooms.createsOnJoin
        gateway.chat.presence = presenceSettings
        gateway.chat.version = Version.current
        gateway.chat.audit = AuditRetention(
            age: .seconds(Int64(management.auditDays) * 86_400), count: management.auditEntries)
        gateway.adminRole = management.role
        gateway.chat.messageRate = limits.messageRate ?? 0
        gateway.connectionRate = limits.connectionRate ?? 0
        gateway.chat.requiresAuthentication = authentication.mode == .token
        gateway.internalRequiresKey = listening.internalListener?.authentication != .open
        let proxies = listening.trustedProxies
        gateway.isTrustedProxy = { proxies.contains($0) }
        gateway.origins = listening.origins
        gateway.believesLoopbackNamesOnly =
            authentication.mode == .trusted && IPAddress(listening.host)?.isLoopback == true
        gateway.internalBelievesLoopbackNamesOnly =
            !gateway.internalRequiresKey
            && listening.internalListener.flatMap { IPAddress($0.host) }?.isLoopback == true
        if let files { gateway.chat.maximumFileBytes = Int64(files.maximumBytes) }
        if let page { gateway.client = try page.files() }
        if let directory = management.pageDirectory {
            gateway.adminPage = try StaticFiles(directory: directory, at: "/admin")
            gateway.adminPage?.serveIndex(at: "/admin")
            gateway.adminPage?.serveIndex(at: "/admin/")
        }
        return gateway
    }

    private var presenceSettings: PresenceSettings {
        var settings = PresenceSettings()
        settings.isForFriendsOnly = presence.visibility == .friends
        if case .embedded = store { settings.storesForItself = true }
        settings.isPublic = presence.isPublic
        settings.grace = presence.gracePeriod
        settings.awayAfter = presence.awayAfter
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
        // The process can open no more sockets than this; sessions that poll hold no socket of their own.
        engine.maximumConnections = limits.connections ?? ProcessMetrics.descriptorLimit()
        return engine
    }

    func openStore() async throws(StoreError) -> any DurableStore {
        let options = StoreOptions(
            outboxOwner: events == nil ? nil : instance, publishesChanges: events?.changesQueue != nil,
            webhookOwner: webhooks.webhooks?.sendsEntries == true ? instance : nil,
            maximumParticipants: rooms.maximumParticipants)
        switch store {
        case .embedded(let directory):
            return try SQLiteStore(directory: directory, options: options, commitSpacing: commitSpacing)
        case .mongo(let uri): return try await MongoStore.open(uri: uri.text, options: options)
        }
    }

    /// nil where rooms have no files. Called once the store is open, which makes its directory.
    func openFiles() async throws -> (any FileStore)? {
        guard let files else { return nil }
        let makeKey: @Sendable () -> [UInt8] = { SecureRandom.bytes(32) }
        if case .mongo(let uri) = store, files.store == .mongodb {
            return try await MongoFileStore.open(
                uri: uri.text, options: StoreOptions(), now: { Now.system.wall }, makeKey: makeKey)
        }
        try FileManager.default.createDirectory(
            atPath: dataDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return try DiskFileStore(directory: dataDirectory + "/files", makeKey: makeKey)
    }

    /// nil when the store is MongoDB, which has its own tools for backups.
    func controlServer(of store: any DurableStore, logger: Logger) -> ControlServer? {
        guard case .embedded(let directory) = self.store, let store = store as? SQLiteStore else { return nil }
        do throws(ControlSocket.Failure) {
            return try ControlServer(directory: directory, store: store, logger: logger)
        } catch {
            logger.warning("backups are not possible while this process runs", ["reason": error.description])
            return nil
        }
    }

    func authenticationPolicy(_ authorities: [any TokenAuthority], logger: Logger) -> AuthenticationPolicy {
        AuthenticationPolicy(
            mode: authentication.mode == .token ? .token : .trusted, authorities: authorities,
            didRefuse: { logger.debug("token refused", ["reason": $0.description]) })
    }
}

extension Configuration.Page {
    func files() throws -> StaticFiles {
        var files = try StaticFiles(directory: directory, at: "/client")
        files.serveIndex(at: "/")
        // The page imports its client library from there. A page of the operator's own need not have one.
        try files.add(directory: directory + "/../sdk/js", below: "/client/sdk/")
        if let socketIOClientFile { try files.add(path: "/client/vendor/socket.io.min.js", file: socketIOClientFile) }
        return files
    }
}
