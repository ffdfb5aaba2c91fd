import ChatDomain

/// A shard's sessions by slot. A slot is used again; its generation distinguishes the new session from the old one.
struct SessionTable {
    private var slots: ContiguousArray<(session: Session?, generation: UInt32)> = []
    private var free: [UInt32] = []
    private(set) var count = 0

    mutating func reserve(shard: UInt16) -> SessionAddress {
        count += 1
        if let slot = free.popLast() {
            return SessionAddress(shard: shard, slot: slot, generation: slots[Int(slot)].generation)
        }
        slots.makeRoomForOne()
        slots.append((nil, 0))
        return SessionAddress(shard: shard, slot: UInt32(slots.count - 1), generation: 0)
    }

    mutating func set(_ session: Session) { slots[Int(session.address.slot)].session = session }

    subscript(address: SessionAddress) -> Session? {
        let index = Int(address.slot)
        guard slots.indices.contains(index), slots[index].generation == address.generation else { return nil }
        return slots[index].session
    }

    mutating func remove(_ address: SessionAddress) {
        let index = Int(address.slot)
        guard slots.indices.contains(index), slots[index].generation == address.generation,
            slots[index].session != nil
        else { return }
        slots[index] = (nil, address.generation &+ 1)
        free.append(address.slot)
        count -= 1
    }

    /// How many slots there are, free ones too.
    var slotCount: Int { slots.count }

    /// The sessions of at most `count` slots, from the one at `start` on.
    func slice(from start: Int, count: Int) -> [Session] {
        slots.dropFirst(start).prefix(count).compactMap(\.session)
    }

    var all: [Session] { slots.compactMap(\.session) }
}
