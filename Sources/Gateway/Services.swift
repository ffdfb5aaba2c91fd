import ChatDomain
import Crypto
import Engine
import EventLoop
import Identity
import Synchronization
import Telemetry

/// What all shards of an instance share. Everything in it may be used from any thread.
public final class Services: Sendable {
    public let configuration: GatewayConfiguration
    let store: any DurableStore
    let authentication: AuthenticationPolicy
    let logger: Logger
    let storeTrouble: OccasionalLogger
    let busTrouble: OccasionalLogger
    /// Live traffic between instances; nil for an instance by itself.
    let bus: (any RoomBus)?
    /// The newest history outside the process; nil without Redis.
    let cache: (any HistoryCache)?
    let observers: GatewayObservers
    let metrics: GatewayMetrics
    let registry: MetricsRegistry
    let users: UserDirectory
    let presence: PresenceHub
    let gracePeriods = GracePeriods()
    /// Sessions that clients may come back to; nil where none are kept.
    let recovery: SessionRecovery?
    let addresses: AddressLimits
    let limits: UserLimits
    let readiness = Readiness()
    let calls = CallTable()
    /// How often the store failed. A store that was away may come back without what it had acknowledged.
    let storeFailures = Atomic<UInt64>(0)
    let notices: ChangeNotices
    private let messageIDs = Mutex(MessageIDGenerator(seed: SecureRandom.uint64()))
    let dependencies: Dependencies
    let engineMetrics: EngineMetrics
    private let mailboxes: [Mailbox]
    let shardCount: Int

    init(
        configuration: GatewayConfiguration, ports: GatewayPorts, observers: GatewayObservers,
        authentication: AuthenticationPolicy, logger: Logger, registry: MetricsRegistry, mailboxes: [Mailbox]
    ) {
        self.configuration = configuration
        store = ports.store
        self.authentication = authentication
        self.logger = logger
        self.registry = registry
        self.mailboxes = mailboxes
        shardCount = mailboxes.count
        storeTrouble = OccasionalLogger(logger)
        busTrouble = OccasionalLogger(logger)
        bus = ports.bus
        cache = ports.cache
        self.observers = observers
        metrics = GatewayMetrics(registry)
        users = UserDirectory(messageRate: configuration.messageRate)
        presence = PresenceHub(
            instance: configuration.instance, directory: ports.directory, store: ports.store,
            settings: configuration.presence, changed: observers.presenceChanged, online: metrics.usersOnline,
            logger: logger)
        notices = ChangeNotices(instance: configuration.instance, directory: ports.directory) {
            Moment(milliseconds: WallClock.monotonicMilliseconds())
        }
        recovery = ports.recovery.map { SessionRecovery(store: $0) }
        addresses = AddressLimits(rate: configuration.connectionRate)
        limits = UserLimits(messageRate: configuration.messageRate)
        engineMetrics = EngineMetrics(registry)
        dependencies = Dependencies { Timestamp(milliseconds: WallClock.milliseconds()) }
    }

    /// History from the cache where it holds the whole page, else from the store.
    ///
    /// - Parameter newest: the newest number delivered here; a cache that is behind it is not asked.
    func history(
        of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber
    ) async throws(StoreError) -> HistoryPage {
        guard let cache else { return try await store.history(of: room, query) }
        if let page = await cache.history(of: room, query, newest: newest) { return page }
        let page = try await store.history(of: room, query)
        // Only a page that ends with the newest message may stand in for the room's end.
        if !page.hasMoreAfter, page.messages.last?.sequence == newest { cache.fill(room, with: page.messages) }
        return page
    }

    /// History for a caller who hears nothing else of the room: with all that was acknowledged before it was asked for,
    /// on whatever instance.
    ///
    /// An acknowledgement goes out before other instances have heard, and before the cache has the message. So where a page
    /// reaches the room's end the store says where that is; without the store, what is known here has to do.
    ///
    /// - Parameter known: the newest number delivered here.
    func currentHistory(
        of room: RoomID, _ query: HistoryQuery, known: SequenceNumber
    ) async throws(StoreError) -> HistoryPage {
        var newest = known
        if bus != nil, cache != nil, query.mayReachEnd(of: known) {
            newest = max(known, (try? await store.lastSequences(of: [room]))?[room] ?? 0)
        }
        return try await history(of: room, query, newest: newest)
    }

    /// Passes what the bus brings to the shards where the rooms are at home.
    func startBus() {
        bus?.start { [self] event in
            switch event {
            case .received(let room, let payload): mailbox(home(of: room)).post(.received(room, payload))
            case .subscribed(let room): mailbox(home(of: room)).post(.subscribed(room))
            case .reconnected:
                broadcast(.reconnected)
                notices.catchUp()
            case .disconnected(let reason): busTrouble.warning("bus disconnected", ["reason": reason])
            }
        }
    }

    /// Takes what the directory of sessions tells to where it belongs.
    func startPresence() {
        presence.start(
            notify: { [self] message in
                if case .lost(let instance) = message { observers.instanceLost?(instance) }
                broadcast(message)
            },
            perform: { [self] in perform($0) })
    }

    /// From now on no room is written to that was not compared with the store.
    func noteStoreFailure() { storeFailures.add(1, ordering: .relaxed) }

    func broadcast(_ message: ShardMessage) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// An id for a message that goes into no room.
    func messageID(at now: Timestamp) -> MessageID { messageIDs.withLock { $0.next(at: now) } }

    func mailbox(_ shard: UInt16) -> Mailbox { mailboxes[Int(shard)] }

    /// Both clocks, for code that runs off the loops.
    func clock() -> Now {
        Now(
            wall: Timestamp(milliseconds: WallClock.milliseconds()),
            monotonic: Moment(milliseconds: WallClock.monotonicMilliseconds()))
    }

    /// The shard where a room is at home on this instance.
    func home(of room: RoomID) -> UInt16 {
        guard shardCount > 1 else { return 0 }
        var hasher = Hasher()
        hasher.combine(room)
        return UInt16(UInt(bitPattern: hasher.finalize()) % UInt(shardCount))
    }
}
