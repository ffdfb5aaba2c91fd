import ChatDomain

/// The messages a shard sent to its rooms last, in the order every session on it got them. One for all of them: keeping it costs one
/// entry a broadcast, not one a delivery.
package struct SentTrail {
    private static let capacity = 4096

    private var entries: [RecoverableSession.Sent] = []
    /// Entries noted so far; a position in the trail.
    private(set) var count = 0

    package mutating func note(_ room: RoomID, _ numbers: ClosedRange<SequenceNumber>) {
        let entry = RecoverableSession.Sent(room: room, numbers: numbers)
        if entries.count < Self.capacity {
            entries.append(entry)
        } else {
            entries[count % Self.capacity] = entry
        }
        count += 1
    }

    /// The messages sent to these rooms from a position on, the newest `limit`, and whether those are all.
    package func sent(
        to rooms: SmallSet<RoomID>, from position: Int, limit: Int
    ) -> (sent: [RecoverableSession.Sent], isAll: Bool) {
        var found: [RecoverableSession.Sent] = []
        var index = count - 1
        let first = max(position, count - entries.count)
        while index >= first, found.count < limit {
            let entry = entries[index % Self.capacity]
            if rooms.contains(entry.room) { found.append(entry) }
            index -= 1
        }
        return (found.reversed(), index < first && first == position)
    }
}
