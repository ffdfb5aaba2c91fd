import Crypto
import Testing

@testable import Engine

@Suite struct StrangerQueueTests {
    private let ids = (0..<10).map { _ in RandomID.make() }

    @Test func withOneTooManyTheOldestEnds() {
        var queue = StrangerQueue(limit: 3)
        #expect(ids[..<3].allSatisfy { queue.add($0) == nil })
        #expect(queue.add(ids[3]) == ids[0])
        #expect(queue.add(ids[4]) == ids[1])
        #expect(queue.count == 3)
    }

    @Test func arrivalsOfIdentifiedClientsAreForgotten() {
        var queue = StrangerQueue(limit: 10_000)
        #expect(queue.add(ids[0]) == nil)
        for _ in 0..<5000 {
            let id = RandomID.make()
            #expect(queue.add(id) == nil)
            queue.remove(id)
        }
        #expect(queue.arrivals.count < 300)
        #expect(queue.arrivals.first == ids[0], "it still waits")
    }

    @Test func identifiedClientsMakeRoom() {
        var queue = StrangerQueue(limit: 2)
        for id in ids {
            #expect(queue.add(id) == nil)
            queue.remove(id)
        }
        #expect(queue.count == 0)
        #expect(queue.add(ids[0]) == nil)
        #expect(queue.add(ids[1]) == nil)
        queue.remove(ids[0])
        #expect(queue.add(ids[2]) == nil)
        #expect(queue.add(ids[3]) == ids[1])
    }
}
