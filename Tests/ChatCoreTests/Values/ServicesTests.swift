import ChatDomain
import ChatProtocol
import ChatTestSupport
import JSON
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ChatCore

/// The parts that the shards of an instance share: `Services`, with `ChatMetrics`.
@Suite struct ServicesTests {
    /// A cache that holds what a test puts in.
    private final class CacheDouble: HistoryCache {
        private let state = Mutex<(page: HistoryPage?, asked: [SequenceNumber], filled: Int)>((nil, [], 0))
        var asked: [SequenceNumber] { state.withLock { $0.asked } }
        var filled: Int { state.withLock { $0.filled } }
        func hold(_ page: HistoryPage) { state.withLock { $0.page = page } }

        func append(_ entries: [RoomLogEntry], to room: RoomID) {}
        func history(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> HistoryPage? {
            state.withLock { state in
                state.asked.append(newest)
                return state.page
            }
        }
        func fill(_ room: RoomID, with newest: [Message], upTo sequence: SequenceNumber) {
            state.withLock { $0.filled += 1 }
        }
        func noteChange(
            _ sequence: SequenceNumber, in room: RoomID, completion: @escaping @Sendable () -> Void
        ) {
            completion()
        }
        func drop(_ room: RoomID) {}
    }

    @Test func historyComesFromTheCacheElseFromTheStoreWhichFillsIt() async throws {
        let cache = CacheDouble()
        try await ChatUnderTest.serve(ChatSetup(hasBus: true, cache: cache)) { chat async throws in
            try await chat.store.fill("lobby", count: 3)
            let query = HistoryQuery(.latest)
            let page = try await chat.services.history(of: room("lobby"), query, newest: 3)
            #expect(page.messages.count == 3 && cache.filled == 1)
            // A page that does not end where the room is known to end is not the room's end.
            _ = try await chat.services.history(of: room("lobby"), query, newest: 4)
            #expect(cache.filled == 1)
            cache.hold(HistoryPage(messages: [], hasMoreBefore: false, hasMoreAfter: false))
            #expect(try await chat.services.history(of: room("lobby"), query, newest: 3).messages.isEmpty)
            #expect(chat.store.calls("history") == 2)
            // A reader without other news of the room gets the message that another instance has just acknowledged.
            _ = try await chat.services.currentHistory(of: room("lobby"), query, known: 1)
            #expect(cache.asked.last == 3)
            chat.store.setReads(.fails)
            _ = try await chat.services.currentHistory(of: room("lobby"), query, known: 2)
            #expect(cache.asked.last == 2)
        }
    }

    @Test func aRoomIsAtHomeOnOneShard() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 4)) { chat in
            let homes = (0..<1000).map { chat.services.home(of: room("room-\($0)")) }
            #expect(Set(homes) == [0, 1, 2, 3])
            #expect(homes == (0..<1000).map { chat.services.home(of: room("room-\($0)")) })
        }
    }

    @Test func idsOfMessagesOutsideRoomsAreUnique() async throws {
        try await ChatUnderTest.serve { chat in
            let now = chat.clock.now.wall
            #expect(Set((0..<1000).map { _ in chat.services.messageID(at: now) }).count == 1000)
        }
    }

    @Test func metricsFollowWhatHappens() async throws {
        try await ChatUnderTest.serve { chat in
            let metrics: ChatMetrics = chat.services.metrics
            let ann = await chat.client("ann", in: "lobby")
            _ = await chat.client("bob", in: "lobby")
            #expect(metrics.sessions.value == 2 && metrics.rooms.value == 1 && metrics.usersOnline.value == 2)
            let deliveries = metrics.deliveries.value
            ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#)
            ann.send("no_such_event")
            await chat.runUntilQuiet()
            #expect(metrics.messages.value == 1 && metrics.deliveries.value == deliveries + 2)
            #expect(metrics.refusals.value == 1 && metrics.commands.value == 4)
        }
    }

    @Test func usageOfAUserIsReportedToOtherInstances() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2) { $0.messageRate = 10 }) { chat in
            let ann = await chat.client("ann", in: "lobby")
            for _ in 0..<10 { ann.send("send_message", #"{"roomId":"lobby","message":"x"}"#) }
            var reports: [UserUsage] {
                chat.directory.sent.flatMap { sent -> [UserUsage] in
                    if case .usage(let usages) = sent.message { usages } else { [] }
                }
            }
            await chat.advance(by: .milliseconds(99))
            #expect(reports.isEmpty)
            await chat.advance(by: .milliseconds(1))
            // In portions of an eighth of a burst, which is three messages here.
            #expect(reports == [UserUsage(user: user("ann"), count: 9)])
        }
    }

    @Test func aLostInstanceIsReportedOnce() async throws {
        let lost = CallbackLog<InstanceID>()
        var setup = ChatSetup()
        setup.observers.instanceLost = { lost.add($0) }
        try await ChatUnderTest.serve(setup) { chat in
            chat.directory.emit(.lost(InstanceID("far")), to: chat.instances[0].id)
            await chat.runUntilQuiet()
            #expect(lost.entries == [InstanceID("far")])
        }
    }

    @Test func aMessagesTraceIsNotedBeforeItIsStored() async throws {
        let traces = CallbackLog<String>()
        let writes = CallbackLog<Bool>()
        var setup = ChatSetup()
        setup.observers.noteTrace = { trace, _ in traces.add(trace) }
        setup.observers.storedMessages = { writes.add(true) }
        try await ChatUnderTest.serve(setup) { chat in
            _ = await chat.client("ann", in: "lobby")
            #expect(writes.entries.isEmpty, "a join stores no message")
            var message = OutgoingMessage(text: "x")
            message.traceparent = "00-trace-01"
            let reply = Task { [services = chat.services, message] in
                await services.ask(room("lobby")) { .send(nil, $0, message, roomUser("ann"), since: nil) }
            }
            #expect(await chat.run { !writes.entries.isEmpty })
            _ = await reply.value
            #expect(traces.entries == ["00-trace-01"] && writes.entries == [true])
        }
    }
}
