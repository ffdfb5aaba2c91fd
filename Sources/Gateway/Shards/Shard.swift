import ChatCore
import Crypto
import Engine
import EventLoop

/// One event loop's share of an instance, as an actor that runs on that loop.
actor Shard {
    nonisolated let loop: EventLoop
    nonisolated let index: UInt16
    private var core: ShardCore?
    private var listener: Listener?
    private var internalListener: Listener?

    init(loop: EventLoop, index: UInt16) {
        self.loop = loop
        self.index = index
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes the loop's world. Called once, before anything else.
    func open(_ gateway: GatewayContext, _ mailboxes: ShardMailboxes) throws {
        let core = try ShardCore(index: index, loop: loop, gateway: gateway, mailboxes: mailboxes) {
            [self] ticket, value in
            loop.post { self.assumeIsolated { $0.core?.finished(ticket, value) } }
        }
        self.core = core
        core.start()
        loop.turnEnd = { [unowned core] in core.endTurn() }
        // Another shard may have posted before there was a core to take it, and an unopened mailbox wakes its loop only once.
        core.openMailbox()
        core.openPolls()
    }

    nonisolated func openMailbox() { assumeIsolated { $0.core?.openMailbox() } }

    /// Takes a message before it returns; false where it has to be posted: on another thread, and behind messages that wait.
    nonisolated func takeAtOnce(_ message: ShardMessage) -> Bool {
        loop.isCurrent && assumeIsolated { $0.core?.takeAtOnce(message) ?? false }
    }

    nonisolated func openPolls() { assumeIsolated { $0.core?.openPolls() } }

    /// Listens, alone or beside other shards on the same port.
    func listen(address: IPAddress, port: UInt16, shared: Bool) throws(ListenError) -> UInt16 {
        guard let core else { return port }
        let listener = try Listener(
            on: loop, address: address, port: port, shared: shared,
            accepted: { [unowned core] descriptor, peer in core.accept(descriptor, from: peer) },
            starved: { [unowned core] in core.starved() })
        self.listener = listener
        return listener.port
    }

    /// Opens the port for other services.
    func listenInternally(address: IPAddress, port: UInt16) throws -> UInt16 {
        guard let core else { return port }
        let endpoint = try InternalEndpoint(context: core.channels)
        let listener = try Listener(
            on: loop, address: address, port: port, shared: false,
            accepted: { [unowned endpoint] descriptor, peer in endpoint.accept(descriptor, from: peer) },
            starved: { [unowned core] in core.starved() })
        core.internalEndpoint = endpoint
        internalListener = listener
        return listener.port
    }

    /// Uses another certificate for new handshakes of both listeners.
    func replaceTLSCredentials(_ credentials: TLSCredentials) throws(TLSError) {
        try core?.engine.replaceTLSCredentials(credentials)
        try core?.internalEndpoint?.replaceTLSCredentials(credentials)
    }

    /// Announces the end to the sessions and closes them a few at a time, so that they do not all reconnect at once.
    func drain(_ plan: DrainPlan) { core?.chat.sessions.drain(plan) }

    func close() {
        listener?.close()
        listener = nil
        internalListener?.close()
        internalListener = nil
        core?.closeAll()
    }

    /// Does nothing, on the loop.
    func respond() {}

    var sessionCount: Int { core?.chat.sessions.count ?? 0 }
}
