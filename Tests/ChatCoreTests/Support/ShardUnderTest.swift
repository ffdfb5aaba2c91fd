import ChatDomain
import ChatProtocol
import ChatTestSupport
import Identity
import JSON
import PersistenceInProcess
import Telemetry

@testable import ChatCore

/// One shard on manual time, with a store that does as a test says.
final class ShardUnderTest {
    let loop = ManualLoop()
    let store = FakeStore()
    let services: Services
    let context: ShardContext
    let shard: ChatShard

    init(
        bus: (any RoomBus)? = nil, directory: (any SessionDirectory)? = nil,
        _ change: (inout ChatConfiguration) -> Void = { _ in }
    ) {
        var configuration = ChatConfiguration(instance: InstanceID("test"))
        configuration.messageRate = 0
        change(&configuration)
        services = Services(
            configuration: configuration,
            ports: ChatPorts(
                store: store,
                directory: directory ?? InProcessDirectory(instance: configuration.instance, maximumSessions: 0),
                bus: bus,
                recovery: nil),
            observers: ChatObservers(), authentication: AuthenticationPolicy(mode: .trusted, verifier: nil),
            logger: .disabled, registry: MetricsRegistry(), mailboxes: [loop.mailbox])
        context = ShardContext(index: 0, loop: loop, services: services) { Array($0) }
        shard = ChatShard(context: context)
        loop.dispatch = { [unowned shard] in shard.dispatch($0) }
        loop.turnEnd = { [unowned shard] in
            shard.submitWrites()
            shard.endTurn()
        }
        services.startBus()
        services.startPresence()
    }

    /// Runs turns until `condition` holds; false when it does not within ten seconds of real time.
    func run(until condition: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            while loop.turn() {}
            if condition() { return true }
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    /// A client that has said who it is.
    func client(_ user: String) -> TestClient {
        let channel = RecordingChannel()
        let session = shard.sessions.open(
            channel: channel, encoding: .event, isRaw: true,
            handshake: Credentials(userID: UserID(unchecked: user)))
        session.opened()
        while loop.turn() {}
        return TestClient(session: session, channel: channel, parser: shard.sessions.parser)
    }

    /// A client in a room, with what it was shown forgotten.
    func client(_ user: String, in room: String) async -> TestClient {
        let client = client(user)
        client.say("join_room", "{\"roomId\":\"\(room)\"}")
        _ = await run { !client.channel.events("room_state").isEmpty }
        client.channel.forget()
        return client
    }
}

/// A client in event frames.
struct TestClient {
    let session: Session
    let channel: RecordingChannel
    let parser: JSONParser

    /// Sends one event; `json` is its data.
    func say(_ event: String, _ json: String) {
        let bytes = Array(json.utf8)
        bytes.withUnsafeBytes { bytes in
            let data = try? parser.parse(bytes)
            session.receive(event: event, data: data, tag: nil)
        }
    }
}
