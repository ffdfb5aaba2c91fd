import ChatTestSupport
import ChatDomain
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Comparing many rooms with the store leaves its threads to those who want to store.
@Suite struct SweepTests {
    /// A bus without other instances, which says what it is told to.
    private final class LonelyBus: RoomBus {
        private let handler = Mutex<(@Sendable (RoomBusEvent) -> Void)?>(nil)

        func emit(_ event: RoomBusEvent) { handler.withLock { $0 }?(event) }

        func start(_ handler: @escaping @Sendable (RoomBusEvent) -> Void) { self.handler.withLock { $0 = handler } }
        func subscribe(_ room: RoomID) { emit(.subscribed(room)) }
        func unsubscribe(_ room: RoomID) {}
        func publish(_ items: [(room: RoomID, payload: [UInt8])]) {}
        func listeners(of room: RoomID) async -> Int? { 1 }
        func close() async {}
    }

    @Test func oneSliceIsReadAfterTheOther() async throws {
        let bus = LonelyBus()
        try await GatewayHost.serve(bus: bus) { host in
            // Few for each, since a connection may not ask for everything at once.
            var clients: [ChatClient] = []
            for number in 0..<30 {
                let client = try await host.client("user-\(number)")
                for room in 1...15 {
                    try await client.say("join_room", ["roomId": "room-\(number)-\(room)"], id: room)
                    #expect(try await client.answer(room).success)
                }
                clients.append(client)
            }
            let ann = try #require(clients.first)
            host.store.setReads(.holds)
            bus.emit(.reconnected)
            // One reads how far the rooms are, one what they are.
            #expect(await eventually { host.store.heldReads == 2 })
            for number in 1...3 {
                try await ann.say("ping", [:], id: 1000 + number)
                #expect(try await ann.answer(1000 + number).success)
            }
            #expect(host.store.heldReads == 2)
            host.store.setReads(.works)
            host.store.release()
        }
    }
}
