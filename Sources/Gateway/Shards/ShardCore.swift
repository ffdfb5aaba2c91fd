import ChatProtocol
import ChatDomain
import Crypto
import Compression
import Engine
import EventLoop
import Identity
import JSON
import Telemetry

/// Everything one event loop owns: its connections and sessions, the rooms at home on it, the way to the other shards.
///
/// Confined to its loop; `Shard` is the actor that keeps it there.
final class ShardCore {
    let index: UInt16
    let loop: EventLoop
    let services: Services
    let engine: EngineContext
    /// For what clients send.
    let parser = JSONParser()
    /// For what other instances tell.
    let newsParser = JSONParser(maximumDepth: RoomNewsCodec.maximumDepth)
    let localRooms = LocalRooms()
    var trail = SentTrail()
    var lingering = LingeringRooms()
    private(set) lazy var watchers = PresenceWatchers(shard: self)
    private(set) lazy var hub = RoomHub(shard: self, services: services, seed: SecureRandom.uint64())
    private(set) lazy var engineIO = makeEngineIO()
    /// A millisecond later, as what is due at once would still run in this turn.
    private(set) lazy var slices = TurnSlices { [unowned self] in loop.schedule(after: 1, $0) }
    private(set) lazy var socketIOSettings = makeSocketIOSettings()
    /// The port for other services, on the one loop that serves it.
    var internalEndpoint: InternalEndpoint?
    var sessions = SessionTable()
    /// Polls passed on to other shards, and polls of other shards held here.
    var polls: [UInt64: HTTPResponder] = [:]
    var foreignPolls: [ForeignPoll: HTTPResponder] = [:]
    var lastPoll: UInt64 = 0
    let router: RESTRouter
    let descriptorTrouble: OccasionalLogger
    private var local = TurnQueue<ShardMessage>()
    private var batch: [ShardMessage] = []
    private let runner: Runner

    init(index: UInt16, loop: EventLoop, services: Services, runner: Runner) throws(TLSError) {
        self.index = index
        self.loop = loop
        self.services = services
        self.runner = runner
        router = RESTRouter(services: services)
        descriptorTrouble = OccasionalLogger(services.logger)
        engine = try EngineContext(
            loop: loop, configuration: services.configuration.engine, metrics: services.engineMetrics,
            logger: services.logger)
        engine.handler = self
    }

    /// Both clocks, as read at the beginning of this turn.
    var now: Now {
        Now(
            wall: Timestamp(milliseconds: loop.wallMilliseconds),
            monotonic: Moment(milliseconds: loop.monotonicMilliseconds))
    }

    // MARK: Messages between shards

    func post(_ message: ShardMessage, to shard: UInt16) {
        if shard == index { local.append(message) } else { services.mailbox(shard).post(message) }
    }

    func openMailbox() {
        services.mailbox(index).takeAll(leaving: &batch)
        for message in batch { dispatch(message) }
        batch.removeAll(keepingCapacity: batch.count <= 1024)
    }

    /// The end of a loop turn: what was said here is heard, what was gathered is stored, what was queued is written.
    func endTurn() {
        repeat {
            engine.resumePaused()
            while !local.isEmpty {
                var batch = local.take()
                for message in batch { dispatch(message) }
                local.recycle(&batch)
            }
            engineIO.flushDirty()
            internalEndpoint?.flushDirty()
        } while engine.hasPausedToResume || engineIO.hasDirty || !local.isEmpty
            || internalEndpoint?.hasDirty == true
        hub.submitWrites()
        engine.flush()
        internalEndpoint?.flush()
        slices.endTurn()
    }

    private func dispatch(_ message: ShardMessage) {
        switch message {
        case .room(let room, let command): hub.dispatch(command, in: room)
        case .committed(let outcomes): hub.committed(outcomes)
        case .received(let room, let payload): hub.receive(payload, in: room)
        case .subscribed(let room): hub.subscribed(room)
        case .reconnected: hub.reconnected()
        case .lost(let instance): hub.lost(instance)
        case .roomChanged(let room, let change, let notice): hub.follow(change, in: room, notice)
        case .unwatched(let room, let shard): hub.unwatch(room, on: shard)
        case .reply(let address, let request, let reply): sessions[address]?.answered(request, reply)
        case .entered(let address, let request, let room, let view): sessions[address]?.entered(request, room, view)
        case .fanOut(let room, let frames, let isDroppable, let user, let subject):
            let copies = localRooms.fanOut(frames, to: room, isDroppable: isDroppable, except: user, about: subject)
            services.metrics.deliveries.add(copies)
        case .messages(let room, let frames, let numbers, let since):
            trail.note(room, numbers)
            services.metrics.deliveries.add(localRooms.fanOut(frames, to: room, numbers: numbers))
            services.metrics.fanOut.observe(Int(loop.wallMilliseconds - since.milliseconds) * 1000)
        case .expelled(let address, let room): sessions[address]?.expelled(from: room)
        case .direct(let addresses, let frames):
            for address in addresses {
                guard let session = sessions[address] else { continue }
                session.trail.restart(at: trail.count)
                session.deliver(frames, isDroppable: false)
            }
        case .notice(let addresses, let frames):
            for address in addresses { sessions[address]?.deliver(frames, isDroppable: false) }
        case .close(let address, let code, let error):
            guard let session = sessions[address] else { return }
            session.refuse(error, event: nil, tag: nil)
            session.end(code, reason: error.message)
        case .logOut(let address): sessions[address]?.logOut()
        case .presence(let edges):
            watchers.note(edges)
            for edge in edges where edge.comesOrGoes { showInRooms(edge.presence.user.userID) }
        case .visibility(let user): showInRooms(user)
        case .watched(let room, let state): watchers.changed(room, state)
        case .friendship(let a, let b, let isFriend): watchers.befriended(a, b, isFriend: isFriend)
        case .poll(let ticket, let origin, let kind, let request): takePoll(ticket, from: origin, kind, request)
        case .polled(let ticket, let response): pollAnswered(ticket, response)
        case .pollAbandoned(let ticket, let origin): pollAbandoned(ticket, by: origin)
        case .upgrade(let kind, let request, let moving): takeUpgrade(kind, request, moving)
        }
    }

    // MARK: Sessions

    func open(
        channel: any SessionChannel, encoding: FrameEncoding, isRaw: Bool, handshake: Credentials,
        id recovered: SessionID? = nil
    ) -> Session {
        let address = sessions.reserve(shard: index)
        let id = recovered ?? SessionID("\(services.configuration.instance)-\(index)-\(SecureRandom.hex(bytes: 12))")
        let session = Session(
            shard: self, id: id, address: address, channel: channel, encoding: encoding, isRaw: isRaw,
            handshake: handshake)
        sessions.set(session)
        services.metrics.sessions.add()
        services.logger.debug(
            "session opened",
            ["session": id.value, "framing": isRaw ? encoding.isFlat ? "type" : "event" : "socket.io"])
        return session
    }

    func forget(_ session: Session) {
        for room in session.rooms {
            localRooms.remove(session, from: room)
            post(.room(room, .leave(session.address, request: nil, isBroken: true)), to: services.home(of: room))
        }
        if let user = session.identity?.userID {
            services.users.remove(session.address, of: user, at: now.monotonic)
            leave(session, user)
        }
        sessions.remove(session.address)
        services.metrics.sessions.subtract()
    }

    // MARK: Helpers

    /// Compresses a message for those who agreed on it; nil where it is not worth it, or would hold up the loop.
    func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard services.configuration.engine.compresses(bytes.count), slices.compress(bytes.count) else { return nil }
        var squeezed: [UInt8] = []
        engine.deflater.compress(bytes, into: &squeezed)
        return squeezed
    }

    /// Asks the store, and goes on here with its answer; one that takes too long is not waited for.
    func withStore<Value: Sendable>(
        _ operation: @escaping @Sendable (any DurableStore) async throws(StoreError) -> Value,
        then: @escaping (Result<Value, StoreError>) -> Void
    ) {
        let store = services.store
        var timer: TimerID?
        let ticket = runner.run(
            { () async -> Result<Value, StoreError> in
                do throws(StoreError) { return .success(try await operation(store)) } catch { return .failure(error) }
            },
            then: { [loop, services] result in
                if let timer { loop.cancel(timer) }
                if case .failure(.unavailable) = result { services.noteStoreFailure() }
                then(result)
            })
        timer = loop.schedule(after: services.configuration.roomLimits.storeMilliseconds) { [runner] in
            let late = Result<Value, StoreError>.failure(.unavailable(reason: "no answer in time"))
            runner.finished(ticket, late)
        }
    }

    func finished(_ ticket: UInt64, _ value: any Sendable) { runner.finished(ticket, value) }

    /// Runs `operation` off the loop and `then` on it, with the result.
    func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        runner.run(operation, then: then)
    }
}
