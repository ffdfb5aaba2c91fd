import ChatDomain
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import MessagingOutbox

@Suite struct PresenceEventsTests {
    private let registry = MetricsRegistry()

    private func edge(_ user: String, _ before: PresenceStatus, _ after: PresenceStatus) -> PresenceEdge {
        PresenceEdge(
            before: before,
            presence: UserPresence(
                user: RoomUser(userID: UserID(unchecked: user), username: user), actualStatus: after,
                lastSeen: Timestamp(milliseconds: 0), sessions: 1))
    }

    private func events(_ broker: ScriptedBroker, capacity: Int = 100) -> PresenceEvents {
        PresenceEvents(
            instance: InstanceID("i1"), broker: broker, capacity: capacity,
            clock: { Timestamp(milliseconds: 1000) }, logger: .disabled, registry: registry)
    }

    @Test func edgesBetweenOnlineAndOfflineAreEvents() {
        let broker = ScriptedBroker()
        let events = events(broker)
        events.start()
        events.note(edge("a", .offline, .busy), isOwn: true)
        events.note(edge("a", .busy, .away), isOwn: true)
        events.note(edge("a", .away, .invisible), isOwn: true)
        events.note(edge("b", .offline, .online), isOwn: false)
        #expect(broker.received.map(\.type) == ["presence.online", "presence.offline"])
        #expect(broker.messageIDs == ["i1-1000-1", "i1-1000-2"])
        let body = String(decoding: broker.received[0].body, as: UTF8.self)
        #expect(
            body == """
                {"eventType":"presence.online","timestamp":"1970-01-01T00:00:01.000Z","data":{"userId":"a",\
                "username":"a","status":"busy","lastSeen":"1970-01-01T00:00:00.000Z"}}
                """)
    }

    @Test func waitingEventsAreSentAfterAReconnect() {
        let broker = ScriptedBroker { _ in nil }
        let events = events(broker)
        events.note(edge("a", .offline, .online), isOwn: true)
        events.start()
        events.note(edge("a", .online, .offline), isOwn: true)
        #expect(broker.messageIDs == ["i1-1000-1"])
        broker.breakConnection()
        #expect(broker.messageIDs.count == 1)
        broker.connectAgain()
        #expect(broker.messageIDs == ["i1-1000-1", "i1-1000-1", "i1-1000-2"])
    }

    @Test func aReturnedEventIsSentAgainAfterAPause() async {
        let answers = Mutex(0)
        let broker = ScriptedBroker { _ in
            answers.withLock { count in
                count += 1
                return count == 1 ? .returned : .confirmed
            }
        }
        let events = events(broker)
        events.start()
        events.note(edge("a", .offline, .online), isOwn: true)
        events.note(edge("b", .offline, .online), isOwn: true)
        #expect(broker.messageIDs == ["i1-1000-1"])
        #expect(await eventually { broker.messageIDs == ["i1-1000-1", "i1-1000-1", "i1-1000-2"] })
    }

    @Test func droppedEventsAreCounted() {
        let events = events(ScriptedBroker(), capacity: 2)
        for user in ["a", "b", "c"] { events.note(edge(user, .offline, .online), isOwn: true) }
        let text = String(decoding: registry.render(), as: UTF8.self)
        #expect(text.contains("chat_presence_events_dropped_total 1"))
        #expect(text.contains("chat_presence_events_waiting 2"))
    }
}
