import ChatDomain
import ChatProtocol
import Testing

@testable import ChatCore

@Suite struct RoomAudienceTests {
    private var audience = RoomAudience()
    private let first = FrameEncoding.allCases[0]
    private let second = FrameEncoding.allCases[1]

    private func session(_ slot: UInt32, on shard: UInt16 = 0) -> SessionAddress {
        SessionAddress(shard: shard, slot: slot, generation: 0)
    }

    @Test mutating func shardsAndEncodingsAreThoseOfTheSessionsThatAreThere() {
        audience.insert(session(1), first)
        audience.insert(session(2), first)
        audience.insert(session(3, on: 1), second)
        #expect(Set(audience.shards) == [0, 1] && audience.encodings == [first, second])
        audience.remove(session(3, on: 1))
        audience.remove(session(3, on: 1))
        #expect(Set(audience.shards) == [0] && audience.encodings == [first])
        audience.remove(session(1))
        #expect(audience.contains(session(2)) && !audience.contains(session(1)) && !audience.isEmpty)
        audience.remove(session(2))
        #expect(audience.isEmpty && audience.shards.isEmpty && audience.encodings.isEmpty)
    }

    @Test mutating func aSessionThatChangesItsEncodingCountsOnce() {
        audience.insert(session(1), first)
        audience.insert(session(1), second)
        #expect(audience.encodings == [second])
        audience.remove(session(1))
        #expect(audience.isEmpty && audience.encodings.isEmpty)
    }
}
