import ChatDomain
import Testing

@Suite("Values of the latest messages")
struct LatestMessagesTests {
    private let ids = (0..<4).map { MessageID(high: 1, low: $0) }

    @Test("Past the capacity the message that came first is dropped, also after others were changed")
    func bound() {
        var latest = LatestMessages<Int>(capacity: 2)
        #expect(latest.isEmpty)
        for (value, id) in ids.prefix(2).enumerated() { latest.insert(value, of: id) }
        latest.insert(10, of: ids[0])
        latest.insert(2, of: ids[2])
        #expect(ids.map { latest[$0] } == [nil, 1, 2, nil])
        latest.insert(3, of: ids[3])
        #expect(ids.map { latest[$0] } == [nil, nil, 2, 3])
    }

    @Test("Only a message that is kept is changed")
    func update() {
        var latest = LatestMessages<Int>(capacity: 2)
        latest.insert(1, of: ids[0])
        let before = latest.update(ids[0]) { value in
            defer { value += 1 }
            return value
        }
        #expect(before == 1 && latest[ids[0]] == 2)
        #expect(latest.update(ids[1]) { $0 } == nil && latest[ids[1]] == nil)
    }
}
