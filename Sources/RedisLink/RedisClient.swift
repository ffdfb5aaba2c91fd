public import EventLoop
internal import Synchronization

/// Commands to the primary of a deployment of Redis over one pipelined connection that restores itself. May be used from any thread.
///
/// Commands of one caller take effect in the order they were given; in a cluster, those of one slot. Commands of one turn of the loop leave in one write. No
/// command is repeated by itself, but for a script that Redis had forgotten. The connection lives until `close`, also without a
/// reference to the client.
public final class RedisClient: Sendable {
    public typealias Reply = Result<RedisValue, RedisError>

    private let handle: LoopHandle<any CommandChannel>
    private let current: StateCell<RedisState>
    private let servers: any ServerLocator
    /// nil where the deployment has no sentinels.
    private let watch: SentinelWatch?
    private let options: RedisOptions
    private let shared: SharedLoop
    /// Subscribers, which leave a server together with this client.
    private let followers: Followers
    private let cluster: (nodes: ClusterNodes, view: ClusterView)?

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - loop: where the connection lives; it must run until `close` has returned. By default a thread of its own.
    ///   - stateChanged: called on the loop; never twice in a row with the same state.
    ///   - refused: called on the loop with every refusal, before the caller of the command is answered.
    public init(
        _ deployment: RedisDeployment, options: RedisOptions = RedisOptions(), on loop: EventLoop? = nil,
        stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in },
        refused: @escaping @Sendable (RedisRefusal) -> Void = { _ in }
    ) {
        let current = StateCell(RedisState.connecting, stateChanged)
        self.current = current
        self.options = options
        let shared = SharedLoop(loop, name: "redis")
        self.shared = shared
        let servers: any ServerLocator
        switch deployment {
        case .single(let endpoint):
            watch = nil
            servers = FixedServer(endpoint)
        case .sentinel(let sentinels):
            let watch = SentinelWatch(sentinels, options, on: shared)
            self.watch = watch
            servers = watch
        case .cluster(let seeds, let access):
            watch = nil
            servers = FixedServer(RedisEndpoint(seeds.first ?? RedisAddress(host: "localhost"), access))
        }
        self.servers = servers
        let followers = Followers()
        self.followers = followers
        let cluster = Self.cluster(of: deployment, options)
        self.cluster = cluster
        handle = LoopHandle<any CommandChannel>(shared) { bound, loop in
            if let (nodes, view) = cluster {
                return nodes.commands(in: bound, on: loop, view, current, refused: refused)
            }
            let connection = RedisConnection(servers, options, on: loop) { event in
                bound.post { $0.handle(event, of: nil) }
            }
            return CommandConnection(
                connection, report: { current.set($0) }, refused: refused,
                didLeaveServer: { followers.leave($0, $1) })
        }
    }

    public convenience init(
        _ endpoint: RedisEndpoint, options: RedisOptions = RedisOptions(), on loop: EventLoop? = nil,
        stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in },
        refused: @escaping @Sendable (RedisRefusal) -> Void = { _ in }
    ) {
        self.init(.single(endpoint), options: options, on: loop, stateChanged: stateChanged, refused: refused)
    }

    /// A subscriber to the same server. Not after `close`; but it may be closed later than the client.
    ///
    /// A subscriber cannot ask the server for its role, and a replica may pass on publications late or not at all. So it leaves a
    /// server that the client found not to be the primary.
    ///
    /// - Parameters:
    ///   - sharesThread: false for a thread of its own, where events take long to process. A client on its caller's loop has its
    ///     subscribers there too.
    ///   - usesShardedChannels: in a cluster that has them the channels are those of `RedisCommand.publish`, else those of `PUBLISH`.
    ///   - stateChanged, event: as those of `RedisSubscriber`.
    public func subscriber(
        sharesThread: Bool = true, usesShardedChannels: Bool = false,
        stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in },
        event: @escaping @Sendable (RedisSubscriberEvent) -> Void
    ) -> RedisSubscriber {
        let loop = sharesThread || !shared.isOwned ? shared : SharedLoop(nil, name: "redis-sub")
        if let (nodes, view) = cluster {
            let subscriber = RedisSubscriber(
                nodes, usesShardedChannels: usesShardedChannels, on: loop, stateChanged: stateChanged, event: event
            ) { [handle] in
                handle.post { ($0 as? ClusterConnection)?.requestRefresh() }
            }
            view.add { [weak subscriber] in subscriber?.follow($0) }
            return subscriber
        }
        let subscriber = RedisSubscriber(
            servers, options: options, on: loop, stateChanged: stateChanged, event: event)
        followers.add { [weak subscriber] in subscriber?.leave($0, $1) }
        return subscriber
    }

    /// Whether the servers are a cluster. There a script may touch keys of one slot only, and `keys` must name one.
    public var isCluster: Bool { cluster != nil }

    /// Of a cluster, which slots cannot be used, and why, for operators; nil when all can.
    public var shortfall: String? { cluster?.view.shortfall }

    /// Calls `observer` when another server serves a part of a cluster. The former one may have lost what was written last.
    public func observeFailovers(_ observer: @escaping @Sendable () -> Void) {
        let nodes = Mutex<Set<RedisAddress>>([])
        cluster?.view.add { topology in
            let new = Set(topology.map.nodes)
            let hasChanged = nodes.withLock { nodes in
                defer { nodes = new }
                return !nodes.isEmpty && !new.isSubset(of: nodes)
            }
            if hasChanged { observer() }
        }
    }

    /// The state of the connection a moment ago; of a cluster, whether any node is connected.
    public var state: RedisState { current.value }

    /// Calls `observer` on the loop with the current state, then with every change.
    public func observe(_ observer: @escaping @Sendable (RedisState) -> Void) {
        handle.post { [current] _ in current.add(observer) }
    }

    /// What the sentinels say; nil where the deployment has none.
    public var sentinelStatus: RedisSentinelStatus? { watch?.status }

    /// Calls `observer` with what the sentinels say, then with every change, on any thread. Never, where the deployment has none.
    public func observeSentinels(_ observer: @escaping @Sendable (RedisSentinelStatus) -> Void) {
        watch?.observeStatus(observer)
    }

    /// One command and its answer.
    ///
    /// - Parameter limit: the time limit, where it is shorter than `RedisOptions.commandTimeout`.
    public func send(
        _ command: RedisCommand, within limit: Duration? = nil
    ) async throws(RedisError) -> RedisValue {
        let reply: Reply = await withCheckedContinuation { continuation in
            let isOpen = handle.post { connection in
                guard let limit else { return connection.send(command) { continuation.resume(returning: $0) } }
                connection.send(command, within: limit) { continuation.resume(returning: $0) }
            }
            if !isOpen { continuation.resume(returning: .failure(.unavailable(reason: "closed"))) }
        }
        return try reply.get()
    }

    public func send(_ command: [RedisArgument]) async throws(RedisError) -> RedisValue {
        try await send(RedisCommand(command))
    }

    /// Runs a script; see `RedisCommand.script`.
    public func run(
        _ script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument] = [],
        within limit: Duration? = nil
    ) async throws(RedisError) -> RedisValue {
        try await send(.script(script, keys: keys, arguments: arguments), within: limit)
    }

    /// Several commands in order, not as a transaction.
    ///
    /// - Parameter completion: called on the loop once all are answered, with one reply for each; must not block. On another
    ///   thread where the client is closed or there is no command. It is never called before this method returns.
    public func perform(_ commands: [RedisCommand], completion: @escaping @Sendable ([Reply]) -> Void = { _ in }) {
        guard !commands.isEmpty else {
            Task { completion([]) }
            return
        }
        let isOpen = handle.post { connection in
            guard commands.count > 1 else { return connection.send(commands[0]) { completion([$0]) } }
            let replies = Replies(count: commands.count, completion)
            for (index, command) in commands.enumerated() { connection.send(command) { replies.set(index, $0) } }
        }
        if !isOpen { Task { completion(commands.map { _ in .failure(.unavailable(reason: "closed")) }) } }
    }

    /// Ends the connection. Commands without an answer fail, and so do later ones.
    public func close() async {
        await handle.close { $0.close() }
        await watch?.close()
    }

    private static func cluster(of deployment: RedisDeployment, _ options: RedisOptions) -> (ClusterNodes, ClusterView)?
    {
        guard case .cluster(let seeds, let access) = deployment else { return nil }
        return (ClusterNodes(seeds, access, options), ClusterView())
    }

    private final class Followers: Sendable {
        typealias Follower = @Sendable (RedisPeer, _ reason: String) -> Void
        private let all = Mutex<[Follower]>([])

        func add(_ follower: @escaping Follower) { all.withLock { $0.append(follower) } }

        func leave(_ peer: RedisPeer, _ reason: String) {
            for follower in all.withLock({ $0 }) { follower(peer, reason) }
        }
    }

    /// Gathers a batch's replies. Confined to the loop.
    private final class Replies {
        private var replies: [Reply?]
        private var missing: Int
        private let completion: @Sendable ([Reply]) -> Void

        init(count: Int, _ completion: @escaping @Sendable ([Reply]) -> Void) {
            replies = Array(repeating: nil, count: count)
            missing = count
            self.completion = completion
        }

        func set(_ index: Int, _ reply: Reply) {
            replies[index] = reply
            missing -= 1
            if missing == 0 { completion(replies.compactMap { $0 }) }
        }
    }
}
