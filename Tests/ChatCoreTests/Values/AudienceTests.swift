import ChatProtocol
import TestSupport
import Testing

@testable import ChatCore

@Suite struct AudienceTests {
    @Test func anEncodingIsNeededWhileAnySessionHasIt() {
        var audience = Audience()
        #expect(audience.isEmpty)
        audience.add(shard: 1, .event)
        audience.add(shard: 2, .event)
        audience.add(shard: 2, .socketIO)
        #expect(Set(audience.shards) == [1, 2])
        #expect(audience.encodings == [.event, .socketIO])
        audience.remove(shard: 2, .event)
        #expect(audience.encodings == [.event, .socketIO])
        audience.remove(shard: 1, .event)
        #expect(audience.encodings == [.socketIO])
        #expect(Set(audience.shards) == [2])
        audience.remove(shard: 2, .socketIO)
        #expect(audience.isEmpty && audience.encodings.isEmpty)
    }

    @Test func whatWasNeverAddedIsNotRemoved() {
        var audience = Audience()
        audience.remove(shard: 0, .event)
        audience.add(shard: 0, .type)
        audience.remove(shard: 0, .event)
        audience.remove(shard: 1, .type)
        #expect(audience.encodings == [.type] && Set(audience.shards) == [0])
    }

    @Test(arguments: UInt64(1)...5) func itIsWhatIsCountedOneByOne(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var audience = Audience()
        var sessions: [(shard: UInt16, encoding: FrameEncoding)] = []
        for _ in 0..<500 {
            if sessions.isEmpty || random.chance(1, in: 2) {
                let encoding = FrameEncoding.allCases[Int.random(in: 0..<FrameEncoding.allCases.count, using: &random)]
                let shard = UInt16.random(in: 0..<3, using: &random)
                sessions.append((shard, encoding))
                audience.add(shard: shard, encoding)
            } else {
                let gone = sessions.remove(at: Int.random(in: 0..<sessions.count, using: &random))
                audience.remove(shard: gone.shard, gone.encoding)
            }
            #expect(Set(audience.shards) == Set(sessions.map(\.shard)))
            #expect(Set(audience.encodings) == Set(sessions.map(\.encoding)))
            #expect(audience.encodings.count == Set(audience.encodings).count)
        }
    }
}
