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
}

/// The rooms the writer wrote last. Forgotten as a whole when it is full or when a transaction is rolled back.
struct RoomCache {
    private static let capacity = 65_536
    private var slots: [RoomID: RoomSlot] = [:]

    subscript(room: RoomID) -> RoomSlot? {
        get { slots[room] }
        set {
            if slots.count >= Self.capacity { forget() }
            slots[room] = newValue
        }
    }

    mutating func forget() { slots.removeAll() }
}
