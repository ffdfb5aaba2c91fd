import ChatDomain
import Synchronization

/// The rooms of messages and changes whose events are pending, so that the command that clears them can name the rooms: a sharded cluster
/// asks every shard for documents whose room it is not told.
final class EventRooms: Sendable {
    /// The most messages; past that all are forgotten. It is several times what waits for a broker's confirmation.
    private static let capacity = 16_384

    private let rooms = Mutex<[MessageID: RoomID]>([:])

    func add(_ entries: [RoomLogEntry]) {
        rooms.withLock { rooms in
            if rooms.count + entries.count > Self.capacity { rooms = [:] }
            for entry in entries { rooms[entry.id] = entry.roomID }
        }
    }

    func remove(_ ids: [MessageID]) {
        rooms.withLock { rooms in
            for id in ids { rooms[id] = nil }
        }
    }

    /// Matches messages by their ids, and by their rooms if all of these are known.
    func filter(_ ids: [MessageID]) -> BSONDocument {
        let known = rooms.withLock { rooms in ids.compactMap { rooms[$0] } }
        guard known.count == ids.count else { return ["_id": .anyID(of: ids)] }
        return ["roomId": ["$in": .strings(Set(known))], "_id": .anyID(of: ids)]
    }
}
