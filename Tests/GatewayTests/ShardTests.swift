import ChatCore
import ChatDomain
import ChatTestSupport
import EventLoop
import Identity
import PersistenceInProcess
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite struct ShardTests {
    /// Another shard may be at work already and post to this one.
    @Test(.timeLimit(.minutes(1)))
    func takesWhatWasPostedBeforeItOpened() async throws {
        let shard = Shard(loop: EventLoop(name: "loop-0"), index: 0)
        let mailboxes = ShardMailboxes(
            chat: [Mailbox { shard.loop.post { shard.openMailbox() } }],
            polls: [Mailbox { shard.loop.post { shard.openPolls() } }])
        let configuration = GatewayConfiguration(instance: InstanceID("test"))
        let registry = MetricsRegistry()
        let store = try FaultyStore()
        let services = Services(
            configuration: configuration.chat,
            ports: ChatPorts(
                store: store, directory: InProcessDirectory(instance: configuration.chat.instance, maximumSessions: 0)),
            observers: ChatObservers(), authentication: AuthenticationPolicy(mode: .trusted, authorities: []),
            logger: .disabled, registry: registry, clock: SystemClock(), mailboxes: mailboxes.chat)
        let isPosted = Atomic(false)
        async let reply = services.calls.call { origin in
            services.mailbox(0).post(.room(RoomID(unchecked: "r"), .info(origin, nil, showing: .everybody)))
            isPosted.store(true, ordering: .releasing)
        }
        #expect(await eventually { isPosted.load(ordering: .acquiring) })
        shard.loop.start()
        // The loop has taken the mailbox's wake-up when it answers this.
        #expect(await shard.sessionCount == 0)
        try await shard.open(
            GatewayContext(configuration: configuration, services: services, registry: registry), mailboxes)
        guard case .refused = await reply else { return #expect(Bool(false), "there is no such room") }
        shard.loop.stop()
        await store.close()
    }
}
