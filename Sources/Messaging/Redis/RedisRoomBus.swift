import ChatDomain
public import RedisLink
import Synchronization
import Telemetry

/// Room traffic over Redis: one channel `chat:room:<roomId>` per room, subscribed to while this instance has members in it.
///
/// Publications go over the command connection they share with everything else; what comes, over a subscriber of the bus's
/// own. Publications that meet a broken connection wait for the next one, within bounds; one whose fate is unknown is
/// published again, so that after a reconnect one may come twice.
public final class RedisRoomBus: RoomBus {
    private static let channelPrefix = Array("chat:room:".utf8)
    private static let backlogBytes = 4 << 20
    private static let backlogMilliseconds: Int64 = 10_000

    private struct Publication: Sendable {
        let order: UInt64
        let channel: [UInt8]
        let envelope: [UInt8]

        var command: RedisCommand { ["PUBLISH", RedisArgument(channel), RedisArgument(envelope)] }
        var bytes: Int { channel.count + envelope.count }
    }

    private struct Outgoing {
        var isUp = false
        var published: UInt64 = 0
        var backlog = PublicationBacklog<Publication>(
            maximumBytes: RedisRoomBus.backlogBytes, maximumAge: RedisRoomBus.backlogMilliseconds)
    }

    private let instance: InstanceID
    private let deployment: DeploymentID
    private let client: RedisClient
    private let metrics: RoomBusMetrics
    private let clock: @Sendable () -> Int64
    private let outgoing = Mutex(Outgoing())
    private let subscriber = Mutex<RedisSubscriber?>(nil)

    /// - Parameters:
    ///   - instance: whose publications are not to come back; 1–16 letters, digits, `-` or `_`.
    ///   - deployment: whose publications are heard.
    ///   - client: carries the publications, and says where to subscribe; stays the caller's to close.
    ///   - clock: milliseconds of a clock that never goes back.
    public init(
        instance: InstanceID, deployment: DeploymentID, client: RedisClient, registry: MetricsRegistry,
        clock: @escaping @Sendable () -> Int64 = WallClock.monotonicMilliseconds
    ) {
        self.instance = instance
        self.deployment = deployment
        self.client = client
        self.clock = clock
        metrics = RoomBusMetrics(registry)
    }

    public func start(_ handler: @escaping @Sendable (RoomBusEvent) -> Void) {
        let subscriber = client.subscriber { [weak self] event in
            guard let event = self?.event(event) else { return }
            handler(event)
        }
        self.subscriber.withLock { $0 = subscriber }
        client.observe { [weak self] in self?.connectionChanged($0) }
    }

    /// How the connection stands over which rooms are heard.
    public var subscription: RedisState { subscriber.withLock { $0 }?.state ?? .connecting }

    public func subscribe(_ room: RoomID) {
        subscriber.withLock { $0 }?.subscribe([Self.channel(of: room)])
    }

    public func unsubscribe(_ room: RoomID) {
        subscriber.withLock { $0 }?.unsubscribe([Self.channel(of: room)])
    }

    public func publish(_ items: [(room: RoomID, payload: [UInt8])]) {
        // Sent under the lock, so that two threads' publications leave in the order of their numbers.
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
        let counts = try? await client.send(["PUBSUB", "NUMSUB", RedisArgument(Self.channel(of: room))]).array
        return counts?.last?.integer.map { max(0, Int(clamping: $0)) }
    }

    public func close() async { await subscriber.withLock { $0 }?.close() }

    // MARK: Going out

    private func send(_ publications: [Publication]) {
        client.perform(publications.map(\.command)) { [weak self] replies in self?.sent(publications, replies) }
    }

    private func sent(_ publications: [Publication], _ replies: [RedisClient.Reply]) {
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
            // While connected there was too much under way: waiting would only make it more.
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
            let (entries, expired) = outgoing.backlog.take(at: clock())
            metrics.refused.add(expired)
            send(entries.map(\.item))
        }
    }

    // MARK: Coming in

    private func event(_ event: RedisSubscriberEvent) -> RoomBusEvent? {
        switch event {
        case .connected: return .reconnected
        case .disconnected(let reason): return .disconnected(reason: reason)
        case .subscribed(let channel): return Self.room(of: channel).map { .subscribed($0) }
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
