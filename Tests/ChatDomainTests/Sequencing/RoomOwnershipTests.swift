import ChatDomain
import Testing

@Suite struct RoomOwnershipTests {
    private let instances = (1...5).map { InstanceID("instance-\($0)") }
    private let rooms = (0..<5000).map { RoomID(unchecked: "room-\($0)") }

    @Test func theOrderOfTheViewDoesNotMatter() {
        let view = RoomOwnership(instances)
        let other = RoomOwnership(instances.reversed() + instances)
        for room in rooms { #expect(view.owner(of: room) == other.owner(of: room)) }
    }

    @Test func roomsAreSpreadEvenly() {
        let view = RoomOwnership(instances)
        let counts = Dictionary(grouping: rooms) { view.owner(of: $0) }.mapValues(\.count)
        #expect(counts.count == 5)
        for count in counts.values { #expect(850...1150 ~= count) }
    }

    @Test func anInstanceThatLeavesMovesItsOwnRoomsOnly() {
        let before = RoomOwnership(instances)
        let after = RoomOwnership(instances.dropLast())
        for room in rooms where before.owner(of: room) != instances[4] {
            #expect(before.owner(of: room) == after.owner(of: room))
        }
        for room in rooms {
            let owner = before.owner(of: room) { $0 == instances[4] }
            #expect(owner == after.owner(of: room))
        }
    }

    @Test func withoutInstancesThereIsNoOwner() {
        #expect(RoomOwnership().owner(of: rooms[0]) == nil)
        let none = RoomOwnership(instances).owner(of: rooms[0]) { _ in true }
        #expect(none == nil)
    }
}
