import ChatDomain
import Testing

@testable import PersistenceSQLite

/// The rooms that the writer knows without asking the database.
@Suite struct RoomCacheTests {
    private func slot(_ key: Int64, last: SequenceNumber = 0) -> RoomSlot {
        RoomSlot(key: key, state: Schema.RoomState.live, lastSequence: last, historyBase: 0)
    }

    @Test func eachRoomIsKnownAsItWasLast() throws {
        var cache = RoomCache()
        for key: Int64 in 1...3 { cache.update(slot(key), of: RoomID(unchecked: "r\(key)")) }
        var second = try #require(cache["r2"])
        second.lastSequence = 7
        cache.update(second, of: "r2")
        // One that was made beside the cache.
        cache.update(slot(3, last: 9), of: "r3")
        #expect(cache["r1"]?.lastSequence == 0 && cache["r2"]?.lastSequence == 7 && cache["r3"]?.lastSequence == 9)
        #expect(cache["r4"] == nil)
    }

    @Test func aRoomFromBeforeTheCacheWasForgottenTakesNoOthersPlace() throws {
        var cache = RoomCache()
        for key: Int64 in 1...3 { cache.update(slot(key), of: RoomID(unchecked: "r\(key)")) }
        var old = try #require(cache["r2"])
        cache.forget()
        #expect(cache["r1"] == nil && cache["r2"] == nil)
        for key: Int64 in 4...6 { cache.update(slot(key, last: key), of: RoomID(unchecked: "r\(key)")) }
        old.lastSequence = 50
        cache.update(old, of: "r2")
        #expect(cache["r2"]?.lastSequence == 50)
        for key: Int64 in 4...6 { #expect(cache[RoomID(unchecked: "r\(key)")]?.lastSequence == key) }
    }

    @Test func itHasABound() {
        var cache = RoomCache()
        for key: Int64 in 1...65_537 { cache.update(slot(key, last: key), of: RoomID(unchecked: "r\(key)")) }
        #expect(cache["r1"] == nil && cache["r65537"]?.lastSequence == 65_537)
    }
}
