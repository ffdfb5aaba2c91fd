import ChatCore
import ChatDomain
import Compression
import Crypto
import Engine
import EventLoop
import JSON
import Telemetry

/// Everything one event loop owns: its connections, its share of the chat, the way to the other shards.
///
/// Confined to its loop; `Shard` is the actor that keeps it there.
final class ShardCore {
    let index: UInt16
    let loop: EventLoop
    let gateway: GatewayContext
    let engine: EngineContext
    let chat: ChatShard
    let channels: ChannelContext
    private let chatLoop: GatewayLoop
    private(set) lazy var engineIO = makeEngineIO()
    /// The port for other services, on the one loop that serves it.
    var internalEndpoint: InternalEndpoint?
    let polls: PassedPolls
    let router: RESTRouter
    private let descriptorTrouble: OccasionalLogger
    /// Between two looks at what may be forgotten.
    private static let sweepInterval: Duration = .seconds(30)

    init(
        index: UInt16, loop: EventLoop, gateway: GatewayContext, mailboxes: ShardMailboxes,
        finish: @escaping @Sendable (_ ticket: UInt64, _ value: any Sendable) -> Void
    ) throws(TLSError) {
        self.index = index
        self.loop = loop
        self.gateway = gateway
        let services = gateway.services
        router = RESTRouter(
            services: services, page: gateway.configuration.client, adminPage: gateway.configuration.adminPage)
        descriptorTrouble = OccasionalLogger(services.logger)
        let engine = try EngineContext(
            loop: loop, configuration: gateway.configuration.engine, metrics: gateway.engineMetrics,
            logger: services.logger)
        self.engine = engine
        chatLoop = GatewayLoop(loop, index: index, mailboxes: mailboxes.chat, finish: finish)
        chat = ChatShard(
            context: ShardContext(index: index, loop: chatLoop, services: services) { bytes in
                var squeezed: [UInt8] = []
                engine.deflater.compress(bytes, into: &squeezed)
                return squeezed
            })
        channels = ChannelContext(gateway: gateway, loop: loop, chat: chat)
        polls = PassedPolls(index: index, mailboxes: mailboxes.polls)
        engine.handler = self
    }

    var services: Services { gateway.services }
    var now: Now { chatLoop.now }

    // MARK: Turns

    func start() {
        chat.start()
        sweepPeriodically()
    }

    private func sweepPeriodically() {
        gateway.addresses.sweep(at: now.monotonic)
        engine.forgetHeads()
        internalEndpoint?.forgetHeads()
        loop.schedule(after: Self.sweepInterval) { [unowned self] in sweepPeriodically() }
    }

    func openMailbox() { chatLoop.drainMailbox(chat.dispatch) }
    func takeAtOnce(_ message: ShardMessage) -> Bool { chatLoop.takeAtOnce(message, chat.dispatch) }

    /// Runs `operation` off the loop, or on it at once, and `then` on it with the result.
    func run<Value: Sendable>(
        onLoop: Bool, _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        if onLoop { chatLoop.runAtOnce(operation, then: then) } else { chatLoop.run(operation, then: then) }
    }

    func finished(_ ticket: UInt64, _ value: any Sendable) { chatLoop.finished(ticket, value) }

    /// The end of a loop turn: delivers queued local messages, stores what was gathered, writes what was queued.
    func endTurn() {
        repeat {
            engine.decodePending()
            chatLoop.drainLocal(chat.dispatch)
            engineIO.flushDirty()
            internalEndpoint?.flushDirty()
        } while engine.hasUndecoded || engineIO.hasDirty || chatLoop.hasLocal
            || internalEndpoint?.hasDirty == true
        chat.submitWrites()
        // Before this loop writes to its sockets, so that the others work meanwhile.
        chatLoop.postOutgoing()
        engine.flushSlice()
        internalEndpoint?.flush()
        chat.endTurn()
        // What connections that broke while they were written to bring about.
        chatLoop.postOutgoing()
    }

    // MARK: Connections

    func accept(_ descriptor: Int32, from peer: IPAddress) { engine.adopt(descriptor: descriptor, peer: peer) }

    func starved() {
        gateway.metrics.descriptorsExhausted.add()
        descriptorTrouble.warning("out of file descriptors: connections are dropped")
    }

    func closeAll() {
        for connection in engine.allConnections { connection.close(code: CloseCode.restart.rawValue, reason: "") }
        engine.flush()
        internalEndpoint?.closeAll()
    }
}

/// The mailboxes of all shards, by the shard's index.
struct ShardMailboxes: Sendable {
    let chat: [Mailbox<ShardMessage>]
    let polls: [Mailbox<PollMessage>]
}
