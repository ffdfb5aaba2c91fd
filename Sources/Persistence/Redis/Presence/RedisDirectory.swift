public import ChatDomain
public import RedisLink
import Synchronization
public import Telemetry

/// The sessions of all instances in Redis, each under its instance's lease; what others read there is derived by scripts.
///
/// This instance's own sessions are kept in memory too. They are told again whenever Redis lost them or was away; meanwhile
/// presence goes on with this instance's users, and after `isolation` with them only.
public final class RedisDirectory: SessionDirectory {
    static let lease: Int64 = 10_000
    static let heartbeat: Duration = .milliseconds(2500)
    /// After this long without Redis the users of other instances are no longer shown, in milliseconds.
    static let isolation: Int64 = 15_000
    /// How often what was heard is compared with what is, in milliseconds.
    static let comparison: Int64 = 30_000
    /// How long the subscriber may be away before Redis counts as away, in milliseconds.
    static let deafness: Int64 = 5000

    struct State {
        var own = PresenceTable()
        /// How many wishes of a user's sessions here are on their way to Redis: what is heard of the user meanwhile is older.
        var wishing: [UserID: Int] = [:]
        var rooms: Set<RoomPlace> = []
        /// Sessions that went while Redis could not be told; past `maximumGone` they are found by comparing.
        var gone: [SessionID: UserID] = [:]
        var leftRooms: Set<RoomPlace> = []
        /// Whether what happens here is told to Redis, and comes back from there.
        var isLinked = false
        var isIsolated = false
        /// Whether Redis was told everything once.
        var wasLinked = false
        var downSince: Moment?
        /// Since when nothing is heard from Redis; nil while the subscriber stands.
        var deafSince: Moment?
        /// Other instances that hold a lease.
        var others = 0
        var comparedAt: Moment?
        /// When what Redis has under this instance's name is compared with what is here.
        var reconciliation: Moment?
        var watch = LeaseWatch(period: RedisDirectory.lease)
        /// Users whose keys are still to get another lifetime in this round.
        var unrenewed: [UserID] = []
        var roundEnds = Moment(milliseconds: .min)
        /// How users changed while everybody is read.
        var heardWhileReading: [UserID: UserPresence]?
        /// The newest mark of this instance's own that came back.
        var mark: UInt64 = 0
        var lastMark: UInt64 = 0
        /// How often in a row somebody else heard this instance's own marks.
        var doubles = 0
        /// Marks under way that prove contact, with when they began.
        var proofs: [UInt64: Moment] = [:]
        var handler: (@Sendable (DirectoryEvent) -> Void)?
        var heart: Task<Void, Never>?
        var subscriber: RedisSubscriber?
    }

    struct RoomPlace: Hashable {
        var room: RoomID
        var user: UserID

        init(room: RoomID, user: UserID) {
            self.room = room
            self.user = user
        }

        /// As the scripts write it.
        init?(_ text: String) {
            let parts = text.utf8.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let room = try? RoomID(validating: String(Substring(parts[0])), field: "roomId"),
                let user = try? UserID(validating: String(Substring(parts[1])), field: "userId")
            else { return nil }
            self.init(room: room, user: user)
        }
    }

    let instance: InstanceID
    let client: RedisClient
    let scripts: PresenceScripts
    let channels: Channels
    let state = Mutex(State())
    /// How long users of an instance that ends stay in sight, in milliseconds.
    let grace: Int64
    /// Asked before every command of a room; never locked for long.
    let contactCell = Mutex(Contact())
    let maximumSessions: Int
    let clock: @Sendable () -> Now
    let trouble: OccasionalLogger

    /// - Parameters:
    ///   - deployment: whose instances are heard.
    ///   - client: stays the caller's to close.
    ///   - grace: how long a user whose last session broke off still counts as there, in milliseconds.
    ///   - maximumSessions: sessions a user may have on all instances; the oldest gives way. 0 for no limit.
    public init(
        instance: InstanceID, deployment: DeploymentID, client: RedisClient, grace: Int64, maximumSessions: Int,
        clock: @escaping @Sendable () -> Now, logger: Logger
    ) {
        self.instance = instance
        scripts = PresenceScripts(deployment: deployment)
        channels = Channels(deployment: deployment)
        self.client = client
        self.grace = grace
        self.maximumSessions = maximumSessions
        self.clock = clock
        trouble = OccasionalLogger(logger)
    }

    public func start(_ handler: @escaping @Sendable (DirectoryEvent) -> Void) {
        let subscriber = client.subscriber(sharesThread: false) { [weak self] in self?.receive($0) }
        state.withLock { state in
            state.handler = handler
            state.subscriber = subscriber
            state.downSince = clock().monotonic
            state.deafSince = state.downSince
            state.heart = Task { [weak self] in
                while !Task.isCancelled {
                    await self?.beat()
                    try? await Task.sleep(for: Self.heartbeat)
                }
            }
        }
        subscriber.subscribe([channels.presence, channels.everyone, channels.inbox(of: instance)])
        client.observe { [weak self] connection in
            guard connection != .connected else {
                Task { await self?.beat() }
                return
            }
            self?.unlink()
        }
    }

    public var otherInstances: Int { state.withLock { $0.isLinked ? $0.others : 0 } }

    /// How the connection stands over which this instance hears of the others.
    public var subscription: RedisState { state.withLock { $0.subscriber }?.state ?? .connecting }

    public func send(_ payload: [UInt8], to instance: InstanceID?) {
        client.perform([publication(payload, on: instance.map { channels.inbox(of: $0) } ?? channels.everyone)])
    }

    public func close() async {
        let (heart, subscriber) = state.withLock { state in
            defer { state.isLinked = false }
            return (state.heart, state.subscriber)
        }
        heart?.cancel()
        await heart?.value
        await leave()
        await subscriber?.close()
    }

    // MARK: Redis is away

    func unlink() {
        state.withLock { state in
            // What changed during an attempt to tell Redis was told to nobody.
            if state.isLinked, state.isIsolated { state.handler?(.everybody(state.own.all, isComplete: true)) }
            state.isLinked = false
            state.downSince = state.downSince ?? clock().monotonic
        }
    }

    /// By itself an instance tells itself.
    func notifyLocally(_ change: UserPresence?, in state: borrowing State) {
        if let change { state.handler?(.changed(change, origin: instance)) }
    }

    func isolateWhenDue() {
        let now = clock().monotonic
        state.withLock { state in
            guard !state.isLinked, !state.isIsolated, let since = state.downSince, now - since >= Self.isolation else {
                return
            }
            state.isIsolated = true
            state.handler?(.everybody(state.own.all, isComplete: true))
        }
    }
}
