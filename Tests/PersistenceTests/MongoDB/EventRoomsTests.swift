import ChatDomain
import Testing

@testable import PersistenceMongoDB

@Suite struct EventRoomsTests {
    private let drafts = Drafts()
    private let rooms = EventRooms()

    private func messages(_ count: Int, in room: RoomID) -> [RoomLogEntry] {
        drafts.many(count).enumerated().map { .message(Message($1, in: room, sequence: SequenceNumber($0 + 1))) }
    }

    @Test func knownRoomsAreNamed() {
        let messages = messages(2, in: "a")
        rooms.add(messages)
        let ids = messages.map(\.id)
        #expect(rooms.filter(ids) == ["roomId": ["$in": ["a"]], "_id": .anyID(of: ids)])
    }

    @Test func oneUnknownRoomLeavesTheIDsAlone() {
        let known = messages(1, in: "a")
        rooms.add(known)
        let ids = (known + messages(1, in: "b")).map(\.id)
        #expect(rooms.filter(ids) == ["_id": .anyID(of: ids)])
    }

    @Test func clearedMessagesAreForgotten() {
        let messages = messages(2, in: "a")
        rooms.add(messages)
        rooms.remove([messages[0].id])
        #expect(rooms.filter([messages[0].id])["roomId"] == nil)
        #expect(rooms.filter([messages[1].id])["roomId"] != nil)
    }

    @Test func theMemoryIsBounded() {
        let first = messages(1, in: "a")
        rooms.add(first)
        for _ in 0..<17 { rooms.add(messages(1000, in: "b")) }
        #expect(rooms.filter(first.map(\.id))["roomId"] == nil)
        let last = messages(1, in: "c")
        rooms.add(last)
        #expect(rooms.filter(last.map(\.id))["roomId"] != nil)
    }
}
