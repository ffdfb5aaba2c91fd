import ChatDomain
import MessagingOutbox
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

/// The relay with a scripted broker and an outbox in memory.
@Suite struct OutboxRelayTests {
    private let instance = InstanceID("one")
    private let outbox = MemoryOutbox()

    private func relay(
        _ broker: ScriptedBroker, registry: MetricsRegistry = MetricsRegistry(), alive: Set<String> = []
    ) -> OutboxRelay {
        let people = ["ann", "bob", "eve"].map { UserID(unchecked: $0) }
        let directory = EventDirectory(
            people: { rooms in
                Dictionary(uniqueKeysWithValues: rooms.map { ($0, RoomPeople(participants: Set(people))) })
            },
            online: { Set($0.filter { $0.value == "bob" }) },
            isAlive: { alive.contains($0.value) })
        var pacing = RelayPacing()
        pacing.pollInterval = .milliseconds(50)
        pacing.clearSpacing = .milliseconds(5)
        pacing.readSpacing = .milliseconds(1)
        return OutboxRelay(
            instance: instance, mode: .recipient, outbox: outbox, broker: broker, directory: directory, pacing: pacing,
            logger: .disabled, registry: registry)
    }

    private func messages(_ numbers: ClosedRange<UInt32>) -> [Message] {
        numbers.map { number in
            Message(
                id: MessageID(high: 1, low: number), sequence: SequenceNumber(number), roomID: RoomID(unchecked: "den"),
                body: MessageBody(author: UserID(unchecked: "ann"), username: "Ann", text: "\(number)"),
                timestamp: Timestamp(milliseconds: 1000))
        }
    }

    private func expected(_ messages: [Message]) -> [String] {
        messages.flatMap { message in ["bob", "eve"].map { "\(message.id):\($0)" } }
    }

    @Test func everyEventIsPublishedOnceInOrderAndCleared() async {
        let registry = MetricsRegistry()
        let stored = messages(1...1000)
        outbox.store(stored, owner: instance)
        let broker = ScriptedBroker()
        let relay = relay(broker, registry: registry)
        relay.start()
        #expect(await eventually { outbox.count == 0 })
        await relay.stop()
        #expect(broker.messageIDs == expected(stored))
        let text = String(decoding: registry.render(), as: UTF8.self)
        #expect(text.contains("chat_events_published_total 2000\n"))
        #expect(text.contains("chat_events_settled_total{outcome=\"confirmed\"} 2000\n"))
        #expect(text.contains("chat_broker_connected 1\n"))
    }

    @Test func messagesStoredLaterArePublishedOnAHint() async {
        let broker = ScriptedBroker()
        let relay = relay(broker)
        relay.start()
        for number in 1...20 as ClosedRange<UInt32> {
            outbox.store(messages(number...number), owner: instance)
            relay.wake()
        }
        #expect(await eventually { outbox.count == 0 })
        await relay.stop()
        #expect(broker.messageIDs == expected(messages(1...20)))
    }

    @Test func aCrashBetweenConfirmationAndClearingRepeatsTheEvents() async {
        let stored = messages(1...5)
        outbox.store(stored, owner: instance)
        outbox.loseClears(true)
        let first = ScriptedBroker()
        let crashing = relay(first)
        crashing.start()
        #expect(await eventually { first.received.count >= 10 })
        await crashing.stop()
        #expect(outbox.count == 5)
        outbox.loseClears(false)
        let second = ScriptedBroker()
        let restarted = relay(second)
        restarted.start()
        #expect(await eventually { outbox.count == 0 })
        await restarted.stop()
        #expect(second.messageIDs == expected(stored))
        #expect(Set(first.messageIDs) == Set(second.messageIDs))
        #expect(second.received.map(\.body) == Array(first.received.prefix(10).map(\.body)))
    }

    @Test func anOutageOfTheBrokerLosesNoEvent() async {
        let stored = messages(1...50)
        outbox.store(stored, owner: instance)
        let answers = CallbackLog<Bool>()
        let broker = ScriptedBroker { _ in answers.entries.isEmpty ? nil : .confirmed }
        let relay = relay(broker)
        relay.start()
        #expect(await eventually { broker.received.count == 100 })
        broker.breakConnection()
        #expect(await eventually { relay.brokerState != nil })
        answers.add(true)
        broker.connectAgain()
        #expect(await eventually { outbox.count == 0 })
        #expect(relay.brokerState == nil)
        await relay.stop()
        #expect(Array(broker.messageIDs.suffix(100)) == expected(stored))
    }

    @Test func aStoreThatFailsIsReadAgain() async {
        outbox.store(messages(1...3), owner: instance)
        outbox.fail(true)
        let broker = ScriptedBroker()
        let relay = relay(broker)
        relay.start()
        #expect(await eventually { outbox.failedReads > 0 })
        outbox.fail(false)
        #expect(await eventually { outbox.count == 0 })
        await relay.stop()
        #expect(Set(broker.messageIDs) == Set(expected(messages(1...3))))
    }

    @Test func eventsOfDeadInstancesAreTakenOverAndThoseOfLiveOnesAreNot() async {
        outbox.store(messages(1...3), owner: InstanceID("dead"))
        outbox.store(messages(4...6), owner: InstanceID("alive"))
        let broker = ScriptedBroker()
        let relay = relay(broker, alive: ["alive"])
        relay.start()
        #expect(await eventually { outbox.count == 3 })
        #expect(broker.messageIDs == expected(messages(1...3)))
        await relay.adopt(from: InstanceID("alive"))
        #expect(await eventually { outbox.count == 0 })
        await relay.stop()
        #expect(broker.messageIDs == expected(messages(1...6)))
    }
}
