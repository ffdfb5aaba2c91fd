import Testing

@testable import ChatDomain

@Suite struct RoomModelTests {
    @Test(arguments: 0..<60) func everySessionSeesEverythingOnceInOrder(_ seed: UInt64) {
        var model = RoomModel(seed: seed)
        for _ in 0..<600 { model.step() }
        model.comeToRest()
        for slot in model.clients.keys.sorted() { model.check(slot) }
        #expect(model.problems.isEmpty)

        let last = SequenceNumber(model.stored.count)
        #expect(model.room.lastSequence == last)
        for (slot, client) in model.clients {
            #expect(client.hasEntered, "session \(slot) never saw the room")
            #expect(client.seen.last ?? last == last, "session \(slot) missed the end")
        }
        #expect(model.asked.isEmpty, "some senders were never answered")
        for (id, sequence) in model.acknowledged { #expect(model.stored[Int(sequence) - 1].id == id) }
        #expect(model.room.pendingBytes == 0)
    }
}
