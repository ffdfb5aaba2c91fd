import ChatDomain
import ChatTestSupport
import JSON
import Synchronization
import Testing

@testable import ChatCore

/// Rooms at home on a shard, on manual time.
@Suite struct RoomHubTests {
    private static let lobby = RoomID(unchecked: "lobby")

    /// A bus that reaches no other instance, and keeps which rooms are subscribed.
    private final class LonelyBus: RoomBus {
        private struct State {
            var handler: (@Sendable (RoomBusEvent) -> Void)?
            var rooms: Set<RoomID> = []
        }

        private let state = Mutex(State())
        var rooms: Set<RoomID> { state.withLock(\.rooms) }

        func start(_ handler: @escaping @Sendable (RoomBusEvent) -> Void) { state.withLock { $0.handler = handler } }
        func subscribe(_ room: RoomID) {
            let handler = state.withLock { state in
                state.rooms.insert(room)
                return state.handler
            }
            handler?(.subscribed(room))
        }
        func unsubscribe(_ room: RoomID) { state.withLock { _ = $0.rooms.remove(room) } }
        func publish(_ items: [(room: RoomID, payload: [UInt8])]) {}
        func listeners(of room: RoomID) async -> Int? { 1 }
        func close() async {}
    }

    @Test func aJoinUnderWayWhenItsRoomIsDeletedIsRefusedAtOnce() async {
        let bus = LonelyBus()
        let test = ShardUnderTest(bus: bus)
        test.store.fill(Self.lobby, count: 300)
        let ann = await test.client("ann", in: "lobby")
        let bob = test.client("bob")
        test.store.setReads(.holds)
        bob.say("join_room", #"{"roomId":"lobby","since":1}"#)
        #expect(await test.run { test.store.heldReads == 1 })
        #expect(bus.rooms == [Self.lobby])
        test.loop.post(.roomChanged(Self.lobby, .deleted, nil), to: 0)
        // Bob hears that he was put out, and that his join is refused.
        #expect(await test.run { bob.channel.events("error").count == 2 })
        #expect(ann.channel.events("error").count == 1)
        #expect(bus.rooms.isEmpty && test.store.heldReads == 1, "the page was not waited for")
        test.store.setReads(.works)
        test.store.release()
        #expect(await test.run { test.loop.outstanding == 0 })
        #expect(bob.channel.events("error").count == 2 && bob.channel.events("room_state").isEmpty)
    }

    @Test(arguments: [(29, false), (31, true)]) func aRoomThatIsNotUsedIsReadAnew(_ seconds: Int, isRead: Bool) async {
        let test = ShardUnderTest()
        let ann = await test.client("ann", in: "lobby")
        let bob = test.client("bob")
        ann.say("leave_room", #"{"roomId":"lobby"}"#)
        #expect(await test.run { test.loop.outstanding == 0 })
        test.loop.advance(by: .seconds(seconds))
        test.store.setReads(.holds)
        bob.say("join_room", #"{"roomId":"lobby"}"#)
        #expect(await test.run { test.store.heldReads == 1 || !bob.channel.events("room_state").isEmpty })
        #expect((test.store.heldReads == 1) == isRead)
        test.store.setReads(.works)
        test.store.release()
        #expect(await test.run { !bob.channel.events("room_state").isEmpty })
    }

    @Test func aStoreThatDoesNotAnswerRefusesTheCommandsThatWaitForTheRoom() async {
        let test = ShardUnderTest()
        test.store.setReads(.holds)
        let ann = test.client("ann")
        ann.say("join_room", #"{"roomId":"lobby"}"#)
        #expect(await test.run { test.store.heldReads == 1 })
        test.loop.advance(by: .seconds(5))
        #expect(ann.channel.events("error").map { $0["code"]?.string } == ["storage_unavailable"])
        test.store.setReads(.works)
        test.store.release()
        ann.say("join_room", #"{"roomId":"lobby"}"#)
        #expect(await test.run { !ann.channel.events("room_state").isEmpty })
    }
}
