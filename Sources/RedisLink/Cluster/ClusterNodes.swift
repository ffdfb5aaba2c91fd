internal import EventLoop

/// Makes the connections to the nodes of a cluster.
struct ClusterNodes: Sendable {
    let seeds: [RedisAddress]
    private let access: RedisAccess
    private let options: RedisOptions

    init(_ seeds: [RedisAddress], _ access: RedisAccess, _ options: RedisOptions) {
        self.seeds = seeds
        self.access = access
        self.options = options
    }

    /// - Parameter bound: receives the events of the connections.
    func commands(
        in bound: LoopBound<any CommandChannel>, on loop: EventLoop, _ view: ClusterView,
        _ current: StateCell<RedisState>,
        refused: @escaping @Sendable (RedisRefusal) -> Void
    ) -> ClusterConnection {
        ClusterConnection(
            seeds, options, on: loop,
            connect: { address, cluster in
                let connection = connection(to: address, on: loop) { event in
                    bound.post { $0.handle(event, of: address) }
                }
                return CommandConnection(
                    connection, report: { [weak cluster] in cluster?.node(address, changed: $0) },
                    // Redirections are followed; the cluster reports those that lead nowhere.
                    refused: { if !Redirection.isCode($0.code) { refused($0) } }, didLeaveServer: { _, _ in })
            },
            report: { status in
                view.set(shortfall: status.shortfall)
                current.set(status.state)
            }, refused: refused, topologyChanged: { view.set($0) })
    }

    /// - Parameter needsRefresh: called when the map of the slots is outdated.
    func subscription(
        in bound: LoopBound<any SubscriptionChannel>, on loop: EventLoop, usesShardedChannels: Bool,
        report: @escaping @Sendable (RedisState) -> Void, deliver: @escaping @Sendable (RedisSubscriberEvent) -> Void,
        needsRefresh: @escaping @Sendable () -> Void
    ) -> ClusterSubscription {
        ClusterSubscription(
            wantsShardedChannels: usesShardedChannels,
            connect: { address, isSharded, subscription in
                let connection = connection(to: address, on: loop) { event in
                    bound.post { $0.handle(event, of: address) }
                }
                return SubscriberConnection(
                    connection, isSharded ? .sharded : .classic,
                    report: { [weak subscription] in subscription?.node(address, changed: $0) },
                    deliver: { [weak subscription] in subscription?.node(address, delivered: $0) },
                    dropped: { [weak subscription] in subscription?.node(address, dropped: $0) },
                    refused: { [weak subscription] in subscription?.node(address, refused: $0, $1) ?? false })
            }, report: report, deliver: deliver, needsRefresh: needsRefresh)
    }

    private func connection(
        to address: RedisAddress, on loop: EventLoop, post: @escaping @Sendable (RedisConnectionEvent) -> Void
    ) -> RedisConnection {
        RedisConnection(
            FixedServer(RedisEndpoint(address, access)), options, greets: .node, on: loop, post: post)
    }
}
