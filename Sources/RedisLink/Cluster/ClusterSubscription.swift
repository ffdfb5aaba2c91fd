internal import EventLoop

/// Channels of a cluster: each is subscribed at the node that serves its slot, and follows the slot. Confined to its loop.
///
/// A classic channel could be subscribed at any node, since the nodes pass its publications on to one another. But they do not report what
/// gets lost between them. At the node where the publisher publishes, a subscription misses only what its connection misses.
final class ClusterSubscription: SubscriptionChannel {
    typealias Channel = SubscriptionTracker.Channel

    private struct Place {
        let slot: HashSlot
        /// Where it is subscribed; nil while the node is not known.
        var node: RedisAddress?
        /// It was subscribed at another node before.
        var isMoved = false
    }

    private struct Node {
        let connection: SubscriberConnection
        var isUp = false
        var wasUp = false
        var reason = "not connected yet"
    }

    private let wantsShardedChannels: Bool
    private let connect: (RedisAddress, _ isSharded: Bool, ClusterSubscription) -> SubscriberConnection
    private let report: (RedisState) -> Void
    private let deliver: (RedisSubscriberEvent) -> Void
    private let needsRefresh: () -> Void

    private var topology: ClusterTopology?
    private var places: [Channel: Place] = [:]
    private var nodes: [RedisAddress: Node] = [:]
    /// Whether every node in use has been connected once.
    private var isStarted = false
    private var isWhole = false
    private var isClosed = false

    /// - Parameters:
    ///   - wantsShardedChannels: uses sharded channels where the cluster has them.
    ///   - needsRefresh: called when the map of the slots is outdated.
    init(
        wantsShardedChannels: Bool,
        connect: @escaping (RedisAddress, _ isSharded: Bool, ClusterSubscription) -> SubscriberConnection,
        report: @escaping (RedisState) -> Void, deliver: @escaping (RedisSubscriberEvent) -> Void,
        needsRefresh: @escaping () -> Void
    ) {
        self.wantsShardedChannels = wantsShardedChannels
        self.connect = connect
        self.report = report
        self.deliver = deliver
        self.needsRefresh = needsRefresh
    }

    private var isSharded: Bool { wantsShardedChannels && topology?.hasShardedChannels == true }

    // MARK: Channels

    func subscribe(_ channels: [Channel]) {
        for channel in channels {
            if let node = places[channel]?.node, let connection = nodes[node]?.connection {
                connection.subscribe([channel])
            } else {
                place(channel, Place(slot: places[channel]?.slot ?? HashSlot(of: channel)))
            }
        }
    }

    func unsubscribe(_ channels: [Channel]) {
        for channel in channels {
            guard let node = places.removeValue(forKey: channel)?.node else { continue }
            nodes[node]?.connection.unsubscribe([channel])
        }
    }

    /// Subscribes at the node that has the slot now.
    private func place(_ channel: Channel, _ former: Place) {
        var place = former
        place.node = topology?.map.owner(of: place.slot)
        places[channel] = place
        guard let address = place.node else { return }
        if nodes[address] == nil { nodes[address] = Node(connection: connect(address, isSharded, self)) }
        nodes[address]?.connection.subscribe([channel])
    }

    private func move(_ channel: Channel, _ former: Place) {
        var place = former
        place.isMoved = place.isMoved || place.node != nil
        if let node = former.node { nodes[node]?.connection.unsubscribe([channel]) }
        self.place(channel, place)
    }

    // MARK: Slots

    /// The map was read, or a node said that a slot has moved.
    func follow(_ new: ClusterTopology) {
        guard !isClosed else { return }
        let wasSharded = isSharded
        topology = new
        if wasSharded != isSharded { closeAll() }
        for (channel, place) in places where place.node == nil || place.node != new.map.owner(of: place.slot) {
            move(channel, place)
        }
        let primaries = Set(new.map.nodes)
        for (address, node) in nodes where !primaries.contains(address) {
            nodes[address] = nil
            node.connection.close()
        }
        updateState()
    }

    private func closeAll() {
        let closing = nodes
        nodes = [:]
        for (channel, place) in places where place.node != nil {
            places[channel]?.node = nil
            places[channel]?.isMoved = true
        }
        for node in closing.values { node.connection.close() }
    }

    /// The node ended a subscription by itself, as it has given the slot away.
    func node(_ address: RedisAddress, dropped channel: Channel) {
        guard places[channel]?.node == address else { return }
        places[channel]?.node = nil
        places[channel]?.isMoved = true
        needsRefresh()
    }

    /// The node refused a subscription.
    ///
    /// - Returns: whether the refusal is dealt with; else the connection is of no use.
    func node(_ address: RedisAddress, refused code: String, _ message: String) -> Bool {
        guard case .moved(let slot, let owner)? = Redirection(code: code, message: message, from: address),
            owner != address, topology?.map.move(slot, to: owner) == true
        else { return false }
        let moved = places.filter { $0.value.slot == slot && $0.value.node == address }
        nodes[address]?.connection.forget { HashSlot(of: $0) == slot }
        for (channel, place) in moved { move(channel, place) }
        needsRefresh()
        return true
    }

    // MARK: Nodes

    func node(_ address: RedisAddress, delivered event: RedisSubscriberEvent) {
        guard !isClosed, nodes[address] != nil else { return }
        switch event {
        case .connected:
            nodes[address]?.isUp = true
            nodes[address]?.wasUp = true
            updateState()
        case .subscribed(let channel):
            guard let place = places[channel], place.node == address else { return }
            places[channel]?.isMoved = false
            deliver(place.isMoved ? .moved(channel: channel) : event)
        case .message(let channel, _): if places[channel]?.node == address { deliver(event) }
        case .disconnected, .moved: break
        }
    }

    func node(_ address: RedisAddress, changed state: RedisState) {
        guard !isClosed, nodes[address] != nil, case .disconnected(let reason) = state else { return }
        nodes[address]?.isUp = false
        nodes[address]?.reason = reason
        needsRefresh()
        updateState()
    }

    func handle(_ event: RedisConnectionEvent, of node: RedisAddress?) {
        if let node { nodes[node]?.connection.handle(event) }
    }

    /// A node that is new counts once it has been connected. Its channels are reported as moved.
    private func updateState() {
        let lost = nodes.first { !$0.value.isUp && ($0.value.wasUp || !isStarted) }
        let reason = topology == nil ? "the slots are not known yet" : lost.map { "\($0.key): \($0.value.reason)" }
        guard let reason else {
            report(.connected)
            isStarted = true
            if !isWhole { deliver(.connected) }
            isWhole = true
            return
        }
        if isStarted || lost?.value.reason != "not connected yet" { report(.disconnected(reason: reason)) }
        if isWhole { deliver(.disconnected(reason: reason)) }
        isWhole = false
    }

    /// The map says which node is a primary.
    func leave(_ peer: RedisPeer, _ reason: String) {}

    func close() {
        isClosed = true
        for node in nodes.values { node.connection.close() }
        nodes = [:]
        report(.closed)
    }
}
