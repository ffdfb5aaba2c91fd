public import ChatDomain
public import RedisLink
import Synchronization
public import Telemetry

/// Room traffic over Redis: one channel `chat:room:<roomId>` per room, subscribed to while this instance has members in it. In a
/// cluster it is a sharded channel where the cluster has them, so that a room's traffic stays between the nodes that need it.
///
/// Publications leave over the command connection of all commands, and arrive over a subscriber of the bus's own. Publications that
/// meet a broken connection wait for the next one, within bounds. A publication whose outcome is unknown is published again, so
/// that it may arrive twice.
public final class RedisRoomBus: RoomBus {
    private static let channelPrefix = Array("chat:room:".utf8)
    private static let backlogBytes = 4 << 20
    private static let backlogAge: Duration = .seconds(10)

    private struct Publication: Sendable {
        let order: UInt64
        let channel: [UInt8]
        let envelope: [UInt8]

        var command: RedisCommand { .publish(envelope, on: channel) }
        var bytes: Int { channel.count + envelope.count }
    }

    private struct Outgoing {
        var isUp = false
        var published: UInt64 = 0
        var backlog = PublicationBacklog<Publication>(
            maximumBytes: RedisRoomBus.backlogBytes, maximumAge: RedisRoomBus.backlogAge)
    }

    private let instance: InstanceID
    private let deployment: DeploymentID
    private let client: RedisClient
    private let metrics: RoomBusMetrics
    private let clock: @Sendable () -> Moment
    private let outgoing = Mutex(Outgoing())
    private let subscriber = Mutex<RedisSubscriber?>(nil)

    /// - Parameters:
    ///   - instance: its publications are not delivered here; 1–16 letters, digits, `-` or `_`.
    ///   - deployment: only its publications are delivered.
    ///   - client: sends the publications and names the server to subscribe at. The caller closes it.
    ///   - clock: never goes back.
    public init(
        instance: InstanceID, deployment: DeploymentID, client: RedisClient, registry: MetricsRegistry,
        clock: @escaping @Sendable () -> Moment = { Moment(milliseconds: WallClock.monotonicMilliseconds()) }
    ) {
        self.instance = instance
        self.deployment = deployment
        self.client = client
        self.clock = clock
        metrics = RoomBusMetrics(registry)
    }

    public func start(_ handler: @escaping @Sendable (RoomBusEvent) -> Void) {
        let subscriber = client.subscriber(usesShardedChannels: true) { [weak self] event in
            guard let event = self?.event(event) else { return }
            handler(event)
        }
        self.subscriber.withLock { $0 = subscriber }
        client.observe { [weak self] in self?.connectionChanged($0) }
    }

    /// The state of the connection over which publications arrive.
    public var subscription: RedisState { subscriber.withLock { $0 }?.state ?? .connecting }

    public func subscribe(_ room: RoomID) {
        subscriber.withLock { $0 }?.subscribe([Self.channel(of: room)])
    }

    public func unsubscribe(_ room: RoomID) {
        subscriber.withLock { $0 }?.unsubscribe([Self.channel(of: room)])
    }

    public func publish(_ items: [(room: RoomID, payload: [UInt8])]) {
        // They are sent under the lock, so that publications of two threads leave in the order of their numbers.
        outgoing.withLock { outgoing in
            var publications: [Publication] = []
            publications.reserveCapacity(items.count)
            for item in items {
                outgoing.published += 1
                publications.append(
                    Publication(
                        order: outgoing.published, channel: Self.channel(of: item.room),
                        envelope: RoomBusEnvelope.encode(item.payload, from: instance, of: deployment)))
            }
            if outgoing.isUp { send(publications) } else { keep(publications, in: &outgoing) }
        }
    }

    public func listeners(of room: RoomID) async -> Int? {
        let counts = try? await client.send(.subscriberCount(of: Self.channel(of: room))).array
        return counts?.last?.integer.map { max(0, Int(clamping: $0)) }
    }

    public func close() async { await subscriber.withLock { $0 }?.close() }

    // MARK: Publishing

    private func send(_ publications: [Publication]) {
        client.perform(publications.map(\.command)) { [weak self] replies in self?.didSend(publications, replies) }
    }

    private func didSend(_ publications: [Publication], _ replies: [RedisClient.Reply]) {
        var unsent: [Publication] = []
        var refused = 0
        for (publication, reply) in zip(publications, replies) {
            switch reply {
            case .success: break
            case .failure(.unavailable), .failure(.interrupted): unsent.append(publication)
            case .failure(.timeout), .failure(.server): refused += 1
            }
        }
        metrics.published.add(publications.count - unsent.count - refused)
        metrics.refused.add(refused)
        guard !unsent.isEmpty else { return }
        outgoing.withLock { outgoing in
            // While connected there were too many commands on their way, and a backlog would add to them.
            if outgoing.isUp { metrics.refused.add(unsent.count) } else { keep(unsent, in: &outgoing) }
        }
    }

    private func keep(_ publications: [Publication], in outgoing: inout Outgoing) {
        let now = clock()
        for item in publications {
            let lost = outgoing.backlog.add(.init(order: item.order, bytes: item.bytes, since: now, item: item))
            metrics.refused.add(lost)
        }
    }

    private func connectionChanged(_ state: RedisState) {
        outgoing.withLock { outgoing in
            outgoing.isUp = state == .connected
            guard outgoing.isUp else { return }
            let (entries, expired) = outgoing.backlog.takeAll(at: clock())
            metrics.refused.add(expired)
            send(entries.map(\.item))
        }
    }

    // MARK: Receiving

    private func event(_ event: RedisSubscriberEvent) -> RoomBusEvent? {
        switch event {
        case .connected: return .reconnected
        case .disconnected(let reason): return .disconnected(reason: reason)
        case .subscribed(let channel), .moved(let channel): return Self.room(of: channel).map { .subscribed($0) }
        case .message(let channel, let bytes):
            guard let room = Self.room(of: channel), let envelope = RoomBusEnvelope(bytes) else {
                metrics.malformed.add()
                return nil
            }
            guard envelope.deployment == deployment else {
                metrics.foreign.add()
                return nil
            }
            guard envelope.publisher != instance else { return nil }
            metrics.received.add()
            return .received(room, payload: Array(envelope.payload))
        }
    }

    private static func channel(of room: RoomID) -> [UInt8] { channelPrefix + room.value.utf8 }

    private static func room(of channel: [UInt8]) -> RoomID? {
        guard channel.starts(with: channelPrefix) else { return nil }
        return String(validating: channel[channelPrefix.count...], as: UTF8.self).map { RoomID(unchecked: $0) }
    }
}
