public import EventLoop

/// Channels of one Redis server over a connection of its own that restores itself and them. May be used from any thread.
/// The connection lives until `close`, also without a reference to the subscriber.
public final class RedisSubscriber: Sendable {
    private let handle: LoopHandle<any SubscriptionChannel>
    private let current: StateCell<RedisState>

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - loop: where the connection lives; it must run until `close` has returned. By default a thread of its own.
    ///   - stateChanged: called on the loop; never twice in a row with the same state.
    ///   - event: called on the loop; must not block.
    public convenience init(
        _ endpoint: RedisEndpoint, options: RedisOptions = RedisOptions(), on loop: EventLoop? = nil,
        stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in },
        event: @escaping @Sendable (RedisSubscriberEvent) -> Void
    ) {
        let shared = SharedLoop(loop, name: "redis-sub")
        self.init(FixedServer(endpoint), options: options, on: shared, stateChanged: stateChanged, event: event)
    }

    init(
        _ servers: any ServerLocator, options: RedisOptions, on shared: SharedLoop,
        stateChanged: @escaping @Sendable (RedisState) -> Void,
        event: @escaping @Sendable (RedisSubscriberEvent) -> Void
    ) {
        let current = StateCell(RedisState.connecting, stateChanged)
        self.current = current
        handle = LoopHandle<any SubscriptionChannel>(shared) { bound, loop in
            let connection = RedisConnection(servers, options, on: loop) { event in
                bound.post { $0.handle(event, of: nil) }
            }
            return SubscriberConnection(connection, report: { current.set($0) }, deliver: event)
        }
    }

    /// Channels of a cluster.
    init(
        _ nodes: ClusterNodes, usesShardedChannels: Bool, on shared: SharedLoop,
        stateChanged: @escaping @Sendable (RedisState) -> Void,
        event: @escaping @Sendable (RedisSubscriberEvent) -> Void, needsRefresh: @escaping @Sendable () -> Void
    ) {
        let current = StateCell(RedisState.connecting, stateChanged)
        self.current = current
        handle = LoopHandle<any SubscriptionChannel>(shared) { bound, loop in
            nodes.subscription(
                in: bound, on: loop, usesShardedChannels: usesShardedChannels, report: { current.set($0) },
                deliver: event, needsRefresh: needsRefresh)
        }
    }

    /// The state of the connection a moment ago. It is `connected` only when all subscriptions are restored.
    public var state: RedisState { current.value }

    /// Subscribes to channels, over reconnects too. Each call is answered by a `subscribed` for every channel that is not
    /// unsubscribed before.
    public func subscribe(_ channels: [[UInt8]]) { handle.post { $0.subscribe(channels) } }

    /// Unsubscribes from channels. Messages that are on their way are not delivered any more.
    public func unsubscribe(_ channels: [[UInt8]]) { handle.post { $0.unsubscribe(channels) } }

    /// Of a cluster: which node serves which slot now.
    func follow(_ topology: ClusterTopology) {
        handle.post { ($0 as? ClusterSubscription)?.follow(topology) }
    }

    /// Ends an established connection to this server. Another follows by itself.
    func leave(_ peer: RedisPeer, _ reason: String) { handle.post { $0.leave(peer, reason) } }

    /// Ends the connection; nothing is delivered after this has returned.
    public func close() async { await handle.close { $0.close() } }
}
