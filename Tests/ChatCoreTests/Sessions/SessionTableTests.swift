import ChatDomain
import ChatProtocol
import Testing

@testable import ChatCore

@Suite struct SessionTableTests {
    @Test func aSlotUsedAgainIsAnotherAddress() async throws {
        try await ChatUnderTest.serve { chat in try slots(SessionRegistry(context: chat.shard.context)) }
    }

    private func slots(_ registry: SessionRegistry) throws {
        var table = SessionTable()
        func add() -> Session {
            let session = Session(
                registry: registry, id: SessionID("s"), address: table.reserve(shard: 3), channel: RecordingChannel(),
                encoding: .event,
                isRaw: true, handshake: Credentials())
            table.set(session)
            return session
        }
        let first = add()
        let second = add()
        #expect(table.count == 2)
        #expect(first.address.slot != second.address.slot)
        #expect(table[first.address] === first)
        table.remove(first.address)
        table.remove(first.address)
        #expect(table.count == 1)
        #expect(table[first.address] == nil)
        let third = add()
        #expect(third.address.slot == first.address.slot)
        #expect(third.address.generation == first.address.generation + 1)
        #expect(table[first.address] == nil)
        #expect(table[third.address] === third)
        // A late goodbye to the slot's first owner leaves the new one alone.
        table.remove(first.address)
        #expect(table[third.address] === third)
        #expect(Set(table.all.map(ObjectIdentifier.init)) == [ObjectIdentifier(second), ObjectIdentifier(third)])
        #expect(table[SessionAddress(shard: 3, slot: 99, generation: 0)] == nil)
    }
}
