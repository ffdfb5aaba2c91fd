internal import EventLoop

/// Commands to a cluster: a connection to each primary, and each command to the one that serves its slot. Confined to its loop.
///
/// Commands of one slot take effect in the order they were given, also when the slot moves. A command that cannot be sent waits for
/// a node that takes it, within bounds of time, number and bytes.
final class ClusterConnection: CommandChannel {
    /// How often one command follows a redirection.
    private static let maximumRedirections = 16
    /// How long a command waits for a node that takes it, its redirections included.
    private static let maximumWait: Duration = .seconds(1)
    /// The same for a publication. A fail-over takes this long, and a hint that comes late is of use.
    private static let maximumWaitOfPublications: Duration = .seconds(10)
    private static let maximumWaitingBytes = 4 << 20
    private static let tick: Duration = .milliseconds(50)

    private struct Command {
        let command: RedisCommand
        let slot: HashSlot
        let order: UInt64
        /// Milliseconds of the loop's clock until which it may be sent.
        let deadline: Int64
        var redirections = 0
        let handler: CommandPipeline.Handler
    }

    let loop: EventLoop
    private let seeds: [RedisAddress]
    private let connect: (RedisAddress, ClusterConnection) -> CommandConnection
    private let options: RedisOptions
    private let report: (ClusterStatus) -> Void
    private let refused: (RedisRefusal) -> Void
    private let topologyChanged: (ClusterTopology) -> Void

    private var nodes: [RedisAddress: CommandConnection] = [:]
    private var ready: Set<RedisAddress> = []
    private var reasons: [RedisAddress: String] = [:]
    private var topology: ClusterTopology?
    private var refresh = ClusterRefresh()
    private var queues = SlotQueues<RedisAddress, Command>()
    private var waitingBytes = 0
    private var commands: UInt64 = 0
    private var turn = 0
    private var random = SystemRandomNumberGenerator()
    private var timer: TimerID?
    private var isClosed = false

    /// - Parameters:
    ///   - seeds: nodes to begin with, and to return to when no other can be reached; not empty.
    ///   - connect: begins to connect to a node.
    init(
        _ seeds: [RedisAddress], _ options: RedisOptions, on loop: EventLoop,
        connect: @escaping (RedisAddress, ClusterConnection) -> CommandConnection,
        report: @escaping (ClusterStatus) -> Void, refused: @escaping (RedisRefusal) -> Void,
        topologyChanged: @escaping (ClusterTopology) -> Void
    ) {
        self.seeds = seeds
        self.options = options
        self.loop = loop
        self.connect = connect
        self.report = report
        self.refused = refused
        self.topologyChanged = topologyChanged
        openSeeds()
        scheduleTick()
    }

    // MARK: Commands

    func send(_ command: RedisCommand, _ handler: @escaping CommandPipeline.Handler) {
        guard !isClosed else { return handler(.failure(.unavailable(reason: "closed"))) }
        guard let slot = command.slot else { return sendAnywhere(command, handler) }
        commands += 1
        let span = command.isRepeatable ? Self.maximumWaitOfPublications : Self.maximumWait
        let entry = Command(
            command: command, slot: slot, order: commands, deadline: loop.deadline(after: span), handler: handler)
        if let node = node(of: slot), queues.maySend(to: node, in: slot) {
            transmit(entry, to: node)
        } else {
            wait(entry)
        }
    }

    private func sendAnywhere(_ command: RedisCommand, _ handler: @escaping CommandPipeline.Handler) {
        guard let address = anyReady, let node = nodes[address] else {
            return handler(.failure(.unavailable(reason: downReason)))
        }
        node.send(command, handler)
    }

    private func wait(_ entry: Command) {
        let bytes = entry.command.approximateBytes
        guard queues.waitingCount < options.maximumInFlight, waitingBytes + bytes <= Self.maximumWaitingBytes else {
            return entry.handler(.failure(.unavailable(reason: "too many commands wait for their node")))
        }
        waitingBytes += bytes
        queues.wait(entry, in: entry.slot)
        refresh.request()
        readWhenDue()
    }

    private func transmit(_ entry: Command, to address: RedisAddress, asking: Bool = false) {
        guard let node = nodes[address] else { return wait(entry) }
        // The source of a move sends every later command for the same key after this one, to the same node.
        if !asking { queues.didSend(to: address, in: entry.slot) }
        let isSharded = topology?.hasShardedChannels ?? false
        let command = entry.command.words(isSharded: isSharded).map { RedisCommand($0) } ?? entry.command
        node.send(command, asking: asking) { [weak self] reply in
            guard let self else { return entry.handler(reply) }
            if !asking { self.queues.didAnswer(in: entry.slot) }
            self.didReceive(reply, to: entry, from: address)
        }
    }

    private func didReceive(_ reply: CommandPipeline.Reply, to entry: Command, from address: RedisAddress) {
        switch reply {
        case .success:
            for overtaken in queues.takeOvertaken(by: entry.order, in: entry.slot) {
                release(overtaken)
                overtaken.handler(.failure(.interrupted(reason: "the slot moved, and a later command was faster")))
            }
            entry.handler(reply)
        case .failure(.server(let code, let message)):
            if let redirection = Redirection(code: code, message: message, from: address) {
                follow(redirection, entry, failure: reply)
            } else {
                fail(entry, reply)
            }
        case .failure(.interrupted) where entry.command.isRepeatable: sendAgain(entry, failure: reply)
        case .failure: fail(entry, reply)
        }
        sendWaiting(in: entry.slot)
    }

    /// Sends a command where, or when, its node says.
    private func follow(_ redirection: Redirection, _ entry: Command, failure: CommandPipeline.Reply) {
        switch redirection {
        case .moved(let slot, let address):
            if owner(of: slot) != address {
                if topology?.map.move(slot, to: address) == true { didChangeMap() }
                refresh.request()
            }
            sendAgain(entry, failure: failure)
        case .ask(_, let address):
            var entry = entry
            entry.redirections += 1
            guard entry.redirections <= Self.maximumRedirections, mayOpen(address) else {
                return fail(entry, failure)
            }
            open(address)
            guard ready.contains(address) else { return sendAgain(entry, failure: failure, atOnce: false) }
            transmit(entry, to: address, asking: true)
        case .tryAgain, .down:
            if redirection == .down { refresh.request() }
            sendAgain(entry, failure: failure, atOnce: false)
        }
    }

    /// - Parameter failure: what the caller gets when the command has been sent too often, or is too late.
    private func sendAgain(_ entry: Command, failure: CommandPipeline.Reply, atOnce: Bool = true) {
        var entry = entry
        entry.redirections += 1
        guard entry.redirections <= Self.maximumRedirections, loop.monotonicMilliseconds < entry.deadline else {
            return fail(entry, failure)
        }
        waitingBytes += entry.command.approximateBytes
        queues.willRepeat(entry, entry.order, in: entry.slot)
        if !atOnce { pausedSlots.insert(entry.slot) }
    }

    private func fail(_ entry: Command, _ reply: CommandPipeline.Reply) {
        if case .failure(.server(let code, _)) = reply, Redirection.isCode(code) {
            refused(RedisRefusal(code, entry.command.name))
        }
        entry.handler(reply)
    }

    // MARK: Commands that wait

    /// Slots that wait for the next tick after `TRYAGAIN` or `CLUSTERDOWN`.
    private var pausedSlots: Set<HashSlot> = []

    private func sendWaiting(in slot: HashSlot) {
        guard queues.isWaiting(slot), !pausedSlots.contains(slot) else { return }
        while let node = node(of: slot), let entry = queues.takeNext(for: node, in: slot) {
            release(entry)
            transmit(entry, to: node)
        }
    }

    private func sendAllWaiting() {
        for slot in queues.waitingSlots { sendWaiting(in: slot) }
    }

    private func release(_ entry: Command) { waitingBytes -= entry.command.approximateBytes }

    private func failOverdue() {
        let now = loop.monotonicMilliseconds
        for entry in queues.take(where: { $0.deadline <= now }) {
            release(entry)
            entry.handler(.failure(.unavailable(reason: reason(of: entry.slot))))
        }
    }

    private func scheduleTick() {
        timer = loop.schedule(after: Self.tick) { [weak self] in
            guard let self, !self.isClosed else { return }
            self.pausedSlots.removeAll()
            self.failOverdue()
            self.sendAllWaiting()
            self.readWhenDue()
            self.closeUnused()
            self.scheduleTick()
        }
    }

    // MARK: Nodes

    private func owner(of slot: HashSlot) -> RedisAddress? { topology?.map.owner(of: slot) }

    /// The node to send to; nil while there is none.
    private func node(of slot: HashSlot) -> RedisAddress? { owner(of: slot).flatMap { ready.contains($0) ? $0 : nil } }

    private var anyReady: RedisAddress? {
        let nodes = (topology?.map.nodes ?? seeds).filter(ready.contains)
        guard !nodes.isEmpty else { return ready.first }
        turn &+= 1
        return nodes[Int(UInt(bitPattern: turn) % UInt(nodes.count))]
    }

    private func mayOpen(_ address: RedisAddress) -> Bool {
        nodes[address] != nil || nodes.count < SlotMap.maximumNodes + seeds.count
    }

    private func open(_ address: RedisAddress) {
        guard nodes[address] == nil, mayOpen(address) else { return }
        nodes[address] = connect(address, self)
    }

    private func openSeeds() {
        for seed in seeds { open(seed) }
    }

    private func openPrimaries() {
        for address in topology?.map.nodes ?? [] { open(address) }
    }

    /// Closes connections to nodes that serve no slot, once every command there is answered.
    private func closeUnused() {
        guard let topology, nodes.count > topology.map.nodes.count else { return }
        let primaries = Set(topology.map.nodes)
        guard !ready.isDisjoint(with: primaries) else { return }
        for (address, node) in nodes where !primaries.contains(address) && node.isIdle {
            nodes[address] = nil
            ready.remove(address)
            reasons[address] = nil
            node.close()
        }
    }

    func node(_ address: RedisAddress, changed state: RedisState) {
        guard nodes[address] != nil, !isClosed else { return }
        switch state {
        case .connected:
            ready.insert(address)
            reasons[address] = nil
            openPrimaries()
            sendAllWaiting()
        case .disconnected(let reason):
            ready.remove(address)
            reasons[address] = reason
            if ready.isEmpty { openSeeds() }
        case .connecting, .closed: break
        }
        refresh.request()
        readWhenDue()
        reportStatus()
    }

    func handle(_ event: RedisConnectionEvent, of node: RedisAddress?) {
        if let node { nodes[node]?.handle(event) }
    }

    // MARK: The slot map

    /// The map is outdated, as a subscriber noticed.
    func requestRefresh() {
        refresh.request()
        readWhenDue()
    }

    private func readWhenDue() {
        guard !isClosed, let address = anyReady, let node = nodes[address],
            refresh.beginWhenDue(at: loop.monotonicMilliseconds, using: &random)
        else { return }
        var replies: [CommandPipeline.Reply] = []
        for question in ClusterTopology.questions {
            node.send(question) { [weak self] reply in
                replies.append(reply)
                if replies.count == ClusterTopology.questions.count { self?.didRead(replies, from: address) }
            }
        }
    }

    private func didRead(_ replies: [CommandPipeline.Reply], from address: RedisAddress) {
        guard !isClosed else { return }
        if let read = ClusterTopology(replies, from: address), !read.map.nodes.isEmpty {
            topology = read
            didChangeMap()
        } else {
            reasons[address] = "it gives no map of its slots"
        }
        refresh.didEnd(isWhole: shortfall == nil)
        reportStatus()
    }

    private func didChangeMap() {
        guard let topology else { return }
        openPrimaries()
        topologyChanged(topology)
        sendAllWaiting()
    }

    // MARK: Status

    private func reportStatus() {
        // Until the first map is read, one seed after the other may fail.
        guard topology != nil || nodes.keys.allSatisfy({ reasons[$0] != nil }) else { return }
        let isUp = topology.map { !ready.isDisjoint(with: $0.map.nodes) } ?? false
        report(ClusterStatus(state: isUp ? .connected : .disconnected(reason: downReason), shortfall: shortfall))
    }

    private var downReason: String {
        let known = reasons.sorted { "\($0.key)" < "\($1.key)" }.prefix(3).map { "\($0.key): \($0.value)" }
        return known.isEmpty ? "not connected yet" : known.joined(separator: "; ")
    }

    /// Which slots cannot be used, for operators; nil when all can.
    private var shortfall: String? {
        guard let topology else { return downReason }
        let ranges = topology.map.ranges { $0.map { !ready.contains($0) } ?? true }
        guard let first = ranges.first, let slot = HashSlot(first.lowerBound) else { return nil }
        let slots = ranges.prefix(4).map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        let more = ranges.count > 4 ? " and more" : ""
        return "slots \(slots.joined(separator: ", "))\(more) are not served: \(reason(of: slot))"
    }

    private func reason(of slot: HashSlot) -> String {
        guard topology != nil else { return downReason }
        guard let owner = owner(of: slot) else { return "no node has the slot" }
        return "\(owner): \(reasons[owner] ?? "not connected yet")"
    }

    func close() {
        isClosed = true
        if let timer { loop.cancel(timer) }
        for node in nodes.values { node.close() }
        for entry in queues.take(where: { _ in true }) {
            entry.handler(.failure(.unavailable(reason: "closed")))
        }
        nodes = [:]
        ready = []
        report(ClusterStatus(state: .closed, shortfall: nil))
    }
}

/// How a cluster stands.
struct ClusterStatus: Equatable {
    let state: RedisState
    /// Which slots cannot be used, and why; nil when all can.
    let shortfall: String?
}
