import ChatDomain
import Crypto
import Identity
import Synchronization
import Telemetry

/// The parts that all shards of an instance share. Everything in it may be used from any thread.
public final class Services: Sendable {
    package let configuration: ChatConfiguration
    /// The time for code that runs off the loops.
    package let clock: any ChatClock
    package let store: any DurableStore
    package let authentication: AuthenticationPolicy
    package let logger: Logger
    package let storeTrouble: OccasionalLogger
    /// Apart from `storeTrouble`, which is noisy when a store comes back without what it had.
    let storeLosses: OccasionalLogger
    package let busTrouble: OccasionalLogger
    /// Live traffic between instances; nil for an instance by itself.
    package let bus: (any RoomBus)?
    /// The newest history outside the process; nil without Redis.
    package let cache: (any HistoryCache)?
    package let observers: ChatObservers
    package let metrics: ChatMetrics
    package let registry: MetricsRegistry
    package let users: UserDirectory
    package let standings: UserStandings
    package let presence: PresenceHub
    package let gracePeriods = GracePeriods()
    /// Sessions that clients may come back to; nil where none are kept.
    package let recovery: SessionRecovery?
    package let limits: UserLimits
    /// The files of rooms; nil where rooms have none.
    package let files: RoomFiles?
    /// Decides about each text before it is stored; nil where none does.
    let hook: (any MessageHook)?
    /// Pages whose tags are known before they are read.
    package let pages: EncodedPages
    package let readiness = Readiness()
    package let calls = CallTable()
    /// How often the store failed. A store that was away may come back without what it had acknowledged.
    package let storeFailures = Atomic<UInt64>(0)
    package let notices: ChangeNotices
    private let changes: ChangeWatch
    package let questions: FleetQuestions
    package let audit: AuditTrail
    /// What the process offers to operators beyond the chat.
    public let control = InstanceControl()
    package let startedAt: Timestamp
    /// How often messages were erased, or rooms deleted. A page that was read before may hold their texts.
    private let erasures = Atomic<UInt64>(0)
    private let messageIDs = Mutex(MessageIDGenerator(seed: SecureRandom.uint64()))
    /// The dependencies whose condition `/ready` reports.
    public let dependencies: Dependencies
    private let mailboxes: [Mailbox<ShardMessage>]
    package let shardCount: Int

    package init(
        configuration: ChatConfiguration, ports: ChatPorts, observers: ChatObservers,
        authentication: AuthenticationPolicy, logger: Logger, registry: MetricsRegistry, clock: any ChatClock,
        mailboxes: [Mailbox<ShardMessage>]
    ) {
        self.configuration = configuration
        self.clock = clock
        store = ports.store
        self.authentication = authentication
        self.logger = logger
        self.registry = registry
        self.mailboxes = mailboxes
        shardCount = mailboxes.count
        storeTrouble = OccasionalLogger(logger)
        storeLosses = OccasionalLogger(logger)
        busTrouble = OccasionalLogger(logger)
        bus = ports.bus
        cache = ports.cache
        hook = ports.hook
        self.observers = observers
        metrics = ChatMetrics(registry)
        users = UserDirectory(messageRate: configuration.messageRate)
        standings = UserStandings(store: ports.store, clock: clock)
        presence = PresenceHub(
            instance: configuration.instance, directory: ports.directory, store: ports.store, standings: standings,
            settings: configuration.presence, changed: observers.presenceChanged, online: metrics.usersOnline,
            logger: logger)
        notices = ChangeNotices(
            instance: configuration.instance, directory: ports.directory, store: ports.store, clock: clock)
        changes = ChangeWatch(store: ports.store, clock: clock)
        questions = FleetQuestions(instance: configuration.instance, directory: ports.directory, clock: clock)
        audit = AuditTrail(
            instance: configuration.instance, store: ports.store, clock: clock, retention: configuration.audit,
            logger: logger, registry: registry)
        startedAt = clock.now.wall
        pages = EncodedPages(at: clock.now.monotonic)
        recovery = ports.recovery.map { SessionRecovery(store: $0, clock: clock) }
        limits = UserLimits(messageRate: configuration.messageRate)
        files = ports.files.map {
            RoomFiles(
                store: $0, maximumBytes: configuration.maximumFileBytes, clock: clock, logger: logger,
                metrics: FileMetrics(registry))
        }
        dependencies = Dependencies { clock.now.wall }
    }

    /// History from the cache where it holds the whole page, else from the store.
    ///
    /// - Parameters:
    ///   - newest: the newest number known; a cache that is behind it is not asked.
    ///   - delivered: the newest number delivered here, if it is another one. Messages show every change up to it.
    package func history(
        of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber, delivered: SequenceNumber? = nil
    ) async throws(StoreError) -> HistoryPage {
        guard let cache else { return try await store.history(of: room, query) }
        if let page = await cache.history(of: room, query, newest: newest) { return page }
        let erased = erasures.load(ordering: .acquiring)
        let page = try await store.history(of: room, query)
        if !page.hasMoreAfter, newest == delivered ?? newest, await reaches(page, newest, in: room),
            erased == erasures.load(ordering: .acquiring)
        {
            cache.fill(room, with: page.messages, upTo: newest)
        }
        return page
    }

    /// Whether a page that was read ends where the room is known to end: with a message, or with changes behind its last one.
    private func reaches(_ page: HistoryPage, _ newest: SequenceNumber, in room: RoomID) async -> Bool {
        guard let last = page.messages.last?.sequence, last < newest else {
            return page.messages.last?.sequence == newest
        }
        return (try? await store.lastSequences(of: [room]))?[room] == newest
    }

    /// History for a caller that gets no live messages of the room: with all that was acknowledged before it was asked for,
    /// on whatever instance.
    ///
    /// An acknowledgement goes out before other instances and the cache have the message. So where a page
    /// reaches the room's end the store says where that is; without the store, what is known here has to do.
    ///
    /// - Parameter known: the newest number delivered here.
    package func currentHistory(
        of room: RoomID, _ query: HistoryQuery, known: SequenceNumber
    ) async throws(StoreError) -> HistoryPage {
        var newest = known
        if bus != nil, cache != nil, query.mayReachEnd(of: known) {
            newest = max(known, (try? await store.lastSequences(of: [room]))?[room] ?? 0)
        }
        return try await history(of: room, query, newest: newest, delivered: known)
    }

    /// Passes what the bus brings to the shards where the rooms are at home.
    package func startBus() {
        bus?.start { [self] event in
            switch event {
            case .received(let room, let payload): mailbox(home(of: room)).post(.received(room, payload))
            case .subscribed(let room): mailbox(home(of: room)).post(.subscribed(room))
            case .reconnected: broadcast(.reconnected)
            case .disconnected(let reason): busTrouble.warning("bus disconnected", ["reason": reason])
            }
        }
    }

    /// Has rooms and standings be read from the store again where an instance could not announce what it changed.
    package func watchChanges() async {
        guard bus != nil else { return }
        await changes.start { [weak self] moment in
            self?.presence.directory.restartContact(at: moment)
            self?.broadcast(.reconnected)
        }
    }

    /// Passes what the directory of sessions reports to the shards.
    package func startPresence() {
        presence.start(
            announce: { [self] in announce($0) },
            notify: { [self] message in
                if case .lost(let instance) = message {
                    notices.lost(instance)
                    observers.instanceLost?(instance)
                }
                broadcast(message)
            },
            perform: { [self] in perform($0) })
    }

    /// Hands changes of users to the shards that need them: where they are watched, and where they may have rooms.
    private func announce(_ edges: [PresenceEdge]) {
        if edges.count == 1 {
            for shard in shards(for: edges[0]) { mailbox(shard).post(.presence(edges)) }
            return
        }
        var byShard: [UInt16: [PresenceEdge]] = [:]
        for edge in edges {
            for shard in shards(for: edge) { byShard[shard, default: []].append(edge) }
        }
        for (shard, edges) in byShard { mailbox(shard).post(.presence(edges)) }
    }

    private func shards(for edge: PresenceEdge) -> SmallSet<UInt16> {
        let user = edge.presence.user.userID
        var shards = presence.interest.shards(for: user)
        if edge.comesOrGoes { for session in users.sessions(of: user) { shards.insert(session.shard) } }
        return shards
    }

    /// Forgets what is full again. Called now and then.
    package func sweep(at now: Moment) {
        users.sweep(at: now)
        limits.sweep(at: now)
        files?.sweepQuotas(at: now)
        pages.sweep(at: now)
        standings.sweep { !users.sessions(of: $0).isEmpty }
    }

    /// From now on no room is written to that was not compared with the store.
    package func noteStoreFailure() { storeFailures.add(1, ordering: .relaxed) }

    /// From now on the cache takes no page that was read before, and pages have other tags.
    package func noteErasure() {
        erasures.add(1, ordering: .releasing)
        pages.removeAll()
    }

    /// Changes whenever what was stored of messages changes without a number of its own. Each start begins another one; nil where other
    /// instances may change what is stored.
    package var historyGeneration: HistoryGeneration? {
        guard !store.isShared else { return nil }
        return HistoryGeneration(start: startedAt.milliseconds, erasures: erasures.load(ordering: .acquiring))
    }

    package func broadcast(_ message: ShardMessage) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// An id for a message that goes into no room.
    package func messageID(at now: Timestamp) -> MessageID { messageIDs.withLock { $0.next(at: now) } }

    package func mailbox(_ shard: UInt16) -> Mailbox<ShardMessage> { mailboxes[Int(shard)] }

    /// The shard where a room is at home on this instance.
    package func home(of room: RoomID) -> UInt16 {
        guard shardCount > 1 else { return 0 }
        var hasher = Hasher()
        hasher.combine(room)
        return UInt16(UInt(bitPattern: hasher.finalize()) % UInt(shardCount))
    }
}
