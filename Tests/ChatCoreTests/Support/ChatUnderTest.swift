import ChatDomain
import ChatProtocol
import ChatTestSupport
import Identity
import JSON
import PersistenceInProcess
import Telemetry
import TestSupport
import Testing

@testable import ChatCore

/// The parts of a test's chat.
struct ChatSetup {
    var instances = 1
    var shards: UInt16 = 1
    /// Whether there is a bus though there is one instance only.
    var hasBus = false
    /// Sessions one user may have; 0 for no limit.
    var maximumSessions = 0
    /// Whether what is done again and again is begun: sweeps, looks at idleness, rounds over friends.
    var isStarted = false
    var cache: (any HistoryCache)?
    var recovery: (any RecoveryStore)?
    var hook: (any MessageHook)?
    var observers = ChatObservers()
    var logger = Logger.disabled
    /// What decides about tokens; claims are accepted too.
    var authorities: [any TokenAuthority] = []
    var configuration: (inout ChatConfiguration) -> Void = { _ in }
}

/// Lets so many be at work at a time. Each chat opens a database, and a hundred at once would wait for each other's disk.
private actor Places {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// The chat on manual time: one instance or several, each of one shard or several, over one store that does as a test says.
///
/// Rooms, watchers and sessions are tested through it: what clients send and other instances publish goes in, frames and
/// publications come out.
final class ChatUnderTest {
    /// One instance of it.
    final class Instance {
        let id: InstanceID
        let services: Services
        let loops: [ManualLoop]
        let shards: [ChatShard]

        fileprivate init(_ id: InstanceID, _ services: Services, _ loops: [ManualLoop], _ shards: [ChatShard]) {
            (self.id, self.services, self.loops, self.shards) = (id, services, loops, shards)
        }
    }

    let clock = ManualClock()
    let store: FaultyStore
    let bus = BusExchange()
    let directory = DirectoryExchange()
    private(set) var instances: [Instance] = []

    /// Runs `body` on a chat, and closes it.
    static func serve(_ setup: ChatSetup = ChatSetup(), _ body: (ChatUnderTest) async throws -> Void) async throws {
        await places.take()
        do {
            let chat = try ChatUnderTest(setup)
            do { try await body(chat) } catch {
                await chat.close()
                throw error
            }
            await chat.close()
        } catch {
            await places.give()
            throw error
        }
        await places.give()
    }

    private static let places = Places(4)

    private init(_ setup: ChatSetup) throws {
        store = try FaultyStore()
        for number in 1...setup.instances { instances.append(make(InstanceID("i\(number)"), setup)) }
    }

    private func make(_ id: InstanceID, _ setup: ChatSetup) -> Instance {
        var configuration = ChatConfiguration(instance: id)
        configuration.messageRate = 0
        setup.configuration(&configuration)
        configuration.roomLimits.isForFriendsOnly = configuration.presence.isForFriendsOnly
        var mailboxes: [Mailbox<ShardMessage>] = []
        let loops = (0..<setup.shards).map { index in
            ManualLoop(index: index, clock: clock) { message, shard in mailboxes[Int(shard)].post(message) }
        }
        mailboxes = loops.map(\.mailbox)
        let services = Services(
            configuration: configuration,
            ports: ChatPorts(
                store: store,
                directory: DirectoryDouble(id, on: directory, maximumSessions: setup.maximumSessions),
                bus: setup.hasBus || setup.instances > 1 ? BusDouble(id, on: bus) : nil, cache: setup.cache,
                recovery: setup.recovery, hook: setup.hook),
            observers: setup.observers,
            authentication: AuthenticationPolicy(mode: .trusted, authorities: setup.authorities),
            logger: setup.logger, registry: MetricsRegistry(), clock: clock, mailboxes: mailboxes)
        let shards = loops.map { loop in
            ChatShard(context: ShardContext(index: loop.index, loop: loop, services: services) { Array($0) })
        }
        for (loop, shard) in zip(loops, shards) {
            loop.dispatch = { [unowned shard] in shard.dispatch($0) }
            loop.turnEnd = { [unowned shard] in
                shard.submitWrites()
                shard.endTurn()
            }
        }
        services.startBus()
        services.startPresence()
        if setup.isStarted { for shard in shards { shard.start() } }
        return Instance(id, services, loops, shards)
    }

    private func close() async {
        store.setReads(.works)
        store.setNotes(.works)
        store.release()
        for instance in instances {
            await instance.services.bus?.close()
            await instance.services.presence.close()
        }
        await store.close()
    }

    /// The first instance's.
    var services: Services { instances[0].services }
    var loop: ManualLoop { instances[0].loops[0] }
    var shard: ChatShard { instances[0].shards[0] }

    // MARK: Turns and time

    /// Lets every loop take one turn; whether any had something to do.
    @discardableResult
    private func turn() -> Bool {
        var didAnything = false
        for instance in instances { for loop in instance.loops where loop.turn() { didAnything = true } }
        return didAnything
    }

    private var isAtWork: Bool {
        let outstanding = instances.reduce(0) { $0 + $1.loops.reduce(0) { $0 + $1.outstanding } }
        return outstanding > store.heldReads || store.commitsUnderWay > 0
    }

    /// Runs turns until nothing is under way but what the store holds back. No time passes.
    func runUntilQuiet(_ location: SourceLocation = #_sourceLocation) async {
        let isQuiet = await eventually {
            while turn() {}
            // Asked first: what is done before the turn is taken up in it.
            let isAtWork = isAtWork
            return !turn() && !isAtWork
        }
        if !isQuiet { Issue.record("it never came to rest", sourceLocation: location) }
    }

    /// Runs turns until `condition` holds. No time passes.
    func run(until condition: () -> Bool) async -> Bool {
        await eventually {
            while turn() {}
            return condition()
        }
    }

    /// Lets time pass, each timer at its moment, and after each all that follows from it.
    func advance(by span: Duration, _ location: SourceLocation = #_sourceLocation) async {
        let end = clock.monotonic + span
        await runUntilQuiet(location)
        let loops = instances.flatMap(\.loops)
        while let next = (loops.map { $0.nextTimer(by: end) } + [clock.nextTimer(by: end)]).compactMap({ $0 }).min() {
            clock.advance(to: next)
            if !loops.contains(where: { $0.fireTimer() }) { clock.fireTimer() }
            await runUntilQuiet(location)
        }
        clock.advance(to: end)
        await runUntilQuiet(location)
    }

    // MARK: Clients

    /// A client that has authenticated, or has not.
    func client(
        _ user: String?, on instance: Int = 0, shard: Int = 0, encoding: FrameEncoding = .event,
        isService: Bool = false,
        id: SessionID? = nil, sink: (any FrameSink)? = nil
    ) async -> TestClient {
        let channel = RecordingChannel()
        channel.frameSink = sink
        let sessions = instances[instance].shards[shard].sessions
        var handshake = Credentials(userID: user.map { UserID(unchecked: $0) })
        handshake.isService = isService
        let session = sessions.open(
            channel: channel, encoding: encoding, isRaw: true, handshake: handshake, id: id)
        session.opened(by: handshake)
        await runUntilQuiet()
        return TestClient(session: session, channel: channel, parser: sessions.parser)
    }

    /// A client in a room, with what it was shown forgotten.
    func client(
        _ user: String, in room: String, on instance: Int = 0, shard: Int = 0,
        _ location: SourceLocation = #_sourceLocation
    ) async -> TestClient {
        let client = await client(user, on: instance, shard: shard)
        client.send("join_room", #"{"roomId":"\#(room)"}"#, id: -1)
        await runUntilQuiet(location)
        if client.answer(-1)?.success != true { Issue.record("\(user) is not in \(room)", sourceLocation: location) }
        client.channel.forget()
        return client
    }

    /// News of a room as another instance would publish it.
    func publish(_ news: RoomNews, from instance: String, in room: String) {
        let id = RoomID(unchecked: room)
        let payload = RoomNewsCodec.encode(news, from: InstanceID(instance), in: id)
        bus.emit(.received(id, payload: payload), to: instances[0].id)
    }

    /// An administrator's change of a room: the store changes it, and all instances get the news.
    func change(_ room: String, _ change: RoomChange, _ store: (any DurableStore, RoomID) async throws -> Void)
        async throws
    {
        let id = RoomID(unchecked: room)
        try await store(self.store.real, id)
        services.applyHere(id, change)
        await runUntilQuiet()
    }
}

/// A client in event frames.
struct TestClient {
    let session: Session
    let channel: RecordingChannel
    let parser: JSONParser

    /// Sends one event.
    ///
    /// - Parameters:
    ///   - json: its data.
    ///   - id: the number of a request that wants an answer.
    func send(_ event: String, _ json: String = "{}", id: Int64? = nil) {
        Array(json.utf8).withUnsafeBytes { bytes in
            let data = try? parser.parse(bytes)
            session.receive(event: event, data: data, tag: id.map { .number($0) })
        }
    }

    /// The answer to the request of this number.
    func answer(_ id: Int64) -> TestAnswer? {
        channel.received.last { $0.name == "ack" && $0.id == id }.map { TestAnswer(data: $0.data) }
    }

    /// The texts of the messages it was sent live.
    var messages: [String] { channel.events("new_message").compactMap { $0["message"]?.string } }

    /// The connection breaks.
    func hangUp() { session.closed(reason: "the connection broke") }
}

/// The answer of a server to one request.
struct TestAnswer {
    let data: JSONValue

    var success: Bool { data["success"]?.bool == true }
    var code: String? { data["error"]?["code"]?.string }
    var seq: Int64? { data["seq"]?.integer }
}
