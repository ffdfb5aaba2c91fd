import ChatDomain

/// A room as the writer knows it without asking the database; only the writer changes rooms.
struct RoomSlot {
    let key: Int64
    var state: Int64
    var lastSequence: SequenceNumber
    /// Messages up to here belong to an earlier room of this id.
    var historyBase: SequenceNumber
    /// Whether messages of the room were ever changed.
    var hasChanges = false
    /// Counted when first needed.
    var participants: Int?
    /// Where the cache has it.
    fileprivate var place = 0

    init(
        key: Int64, state: Int64, lastSequence: SequenceNumber, historyBase: SequenceNumber, hasChanges: Bool = false,
        participants: Int? = nil
    ) {
        self.key = key
        self.state = state
        self.lastSequence = lastSequence
        self.historyBase = historyBase
        self.hasChanges = hasChanges
        self.participants = participants
    }
}

/// The rooms the writer wrote last. Forgotten as a whole when it is full or when a transaction is rolled back.
struct RoomCache {
    private static let capacity = 65_536
    private var places: [RoomID: Int] = [:]
    private var slots: ContiguousArray<RoomSlot> = []

    subscript(room: RoomID) -> RoomSlot? { places[room].map { slots[$0] } }

    /// Takes a room as it is now.
    mutating func update(_ slot: RoomSlot, of room: RoomID) {
        // A room's key has one id until the cache is forgotten. A slot that was taken out before has a place that may be another's now.
        if slots.indices.contains(slot.place), slots[slot.place].key == slot.key {
            return slots[slot.place] = slot
        }
        if slots.count >= Self.capacity { forget() }
        var slot = slot
        slot.place = places[room] ?? slots.count
        places[room] = slot.place
        if slot.place < slots.count { slots[slot.place] = slot } else { slots.append(slot) }
    }

    mutating func forget() {
        places.removeAll()
        slots.removeAll()
    }
}
