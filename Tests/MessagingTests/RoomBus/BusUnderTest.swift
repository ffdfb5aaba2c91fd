import ChatDomain
import MessagingInProcess
import MessagingRedis
import RedisLink
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

/// The buses the contract suite runs over.
enum BusKind: String, CaseIterable, Sendable, CustomStringConvertible {
    case inProcess = "in process"
    case redis = "Redis"
    case cluster = "Redis Cluster"

    var description: String { rawValue }
}

/// The exchange or the server over which several instances meet.
enum BusHome: Sendable {
    case exchange(InProcessExchange)
    case redis(RedisServer)
    case cluster(RedisCluster)

    init(_ kind: BusKind) async throws {
        switch kind {
        case .inProcess: self = .exchange(InProcessExchange())
        case .redis: self = .redis(try await RedisServer())
        case .cluster: self = .cluster(try await RedisCluster())
        }
    }

    /// Another instance that listens.
    func instance(_ name: String) async throws -> BusPeer {
        let peer =
            switch self {
            case .exchange(let exchange): BusPeer(InProcessRoomBus(instance: InstanceID(name), exchange: exchange))
            case .redis(let server): BusPeer(redis: server, instance: name)
            case .cluster(let cluster): BusPeer(.cluster(cluster), instance: name)
            }
        peer.start()
        try #require(await eventually { peer.events.connections == 1 && peer.canPublish }, "\(name) does not connect")
        return peer
    }
}

/// One instance's bus and the events it delivered.
final class BusPeer: Sendable {
    let bus: any RoomBus
    let registry = MetricsRegistry()
    let events = CallbackLog<RoomBusEvent>()
    private let client: RedisClient?

    init(_ bus: any RoomBus) {
        self.bus = bus
        client = nil
    }

    convenience init(
        redis server: RedisServer, instance: String, deployment: DeploymentID = .test, options: RedisOptions = .brisk
    ) {
        let endpoint = RedisEndpoint(host: "127.0.0.1", port: server.port)
        self.init(.single(endpoint), instance: instance, deployment: deployment, options: options)
    }

    init(
        _ redis: RedisDeployment, instance: String, deployment: DeploymentID = .test, options: RedisOptions = .brisk
    ) {
        let client = RedisClient(redis, options: options)
        self.client = client
        bus = RedisRoomBus(
            instance: InstanceID(instance), deployment: deployment, client: client, registry: registry)
    }

    var canPublish: Bool { client.map { $0.state == .connected } ?? true }

    func start() { bus.start { [events] in events.add($0) } }

    /// Subscribes, and waits until the subscriptions are confirmed.
    func enter(_ rooms: RoomID...) async {
        for room in rooms { bus.subscribe(room) }
        #expect(await eventually { Set(self.events.subscribed).isSuperset(of: rooms) })
    }

    func publish(_ texts: [String], in room: RoomID) { bus.publish(texts.map { (room, .text($0)) }) }

    func close() async {
        await bus.close()
        await client?.close()
    }
}

extension DeploymentID {
    static let test = Self(redisDatabase: 0, store: "test")
}

extension RedisDeployment {
    static func cluster(_ cluster: RedisCluster) -> Self {
        .cluster(cluster.nodes.map { RedisAddress(host: "127.0.0.1", port: $0.port) }, RedisAccess())
    }
}

extension RedisOptions {
    static var brisk: RedisOptions {
        var options = RedisOptions()
        options.backoffBase = .milliseconds(20)
        options.backoffLimit = .milliseconds(100)
        options.commandTimeout = .seconds(60)
        options.livenessTimeout = .seconds(60)
        return options
    }
}

extension [UInt8] {
    /// A payload, which has to be JSON.
    static func text(_ text: String) -> [UInt8] { Array("\"\(text)\"".utf8) }
}

extension RoomID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(unchecked: value) }
}

extension CallbackLog<RoomBusEvent> {
    var connections: Int { entries.count { if case .reconnected = $0 { true } else { false } } }
    var disconnections: Int { entries.count { if case .disconnected = $0 { true } else { false } } }
    var subscribed: [RoomID] { entries.compactMap { if case .subscribed(let room) = $0 { room } else { nil } } }

    func texts(in room: RoomID) -> [String] {
        entries.compactMap {
            guard case .received(room, let payload) = $0 else { return nil }
            return String(decoding: payload.dropFirst().dropLast(), as: UTF8.self)
        }
    }
}
