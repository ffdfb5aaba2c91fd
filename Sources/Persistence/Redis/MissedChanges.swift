import ChatDomain
import Synchronization

/// The last change of each room that Redis was not told of, to be told when it is there again: until then it may hold the text of a
/// deleted message.
final class MissedChanges: Sendable {
    /// The most rooms. What is dropped past that ends with the list's lifetime, or with the room's next message.
    private static let capacity = 10_000

    private let changes = Mutex<[RoomID: SequenceNumber]>([:])

    func add(_ sequence: SequenceNumber, in room: RoomID) {
        changes.withLock { changes in
            guard changes[room] != nil || changes.count < Self.capacity else { return }
            changes[room] = max(changes[room] ?? 0, sequence)
        }
    }

    func take() -> [RoomID: SequenceNumber] {
        changes.withLock { changes in
            defer { changes = [:] }
            return changes
        }
    }
}
