import ChatDomain

/// What the numbers behind a user's read mark are.
struct UnreadCount {
    /// Changes, and deleted messages.
    var others = 0
    /// Messages that mention the user.
    var mentions = 0
}

extension MongoConnection {
    private static let kinds: BSONValue = ["edited", "deleted", "reaction", "pinned"]

    /// Counts in three commands, whatever the number of rooms. Each reads an index of changes or mentions alone, behind the marks.
    func unreadCounts(
        of user: UserID, in summaries: [RoomSummary]
    ) throws(MongoError) -> [RoomID: UnreadCount] {
        let unread = summaries.filter { $0.unread > 0 }
        guard !unread.isEmpty else { return [:] }
        var counts: [RoomID: UnreadCount] = [:]
        for (room, count) in try count(unread, of: "$_id", { _ in ["change.kind": ["$in": Self.kinds]] }) {
            counts[room, default: UnreadCount()].others += count
        }
        // A message that is deleted has one deletion, which is numbered behind it; and its edits are deletions too.
        let deletions = try count(unread, of: "$change.messageSeq") { start in
            ["change.kind": "deleted", "change.messageSeq": ["$gt": .int64(start)]]
        }
        for (room, count) in deletions { counts[room, default: UnreadCount()].others += count }
        for (room, count) in try count(unread, of: "$_id", { _ in ["mentions": .any(of: user)] }) {
            counts[room, default: UnreadCount()].mentions += count
        }
        return counts
    }

    /// Counts documents of each room behind the read mark.
    ///
    /// - Parameter field: documents of a room with the same value of it count once.
    private func count(
        _ summaries: [RoomSummary], of field: BSONValue, _ condition: (_ start: SequenceNumber) -> BSONDocument
    ) throws(MongoError) -> [RoomID: Int] {
        let clauses = summaries.map { summary -> BSONDocument in
            let room = summary.snapshot.room
            let start = RoomSummary.start(summary.lastReadSequence, in: room)
            var clause = condition(start)
            clause["roomId"] = .any(of: room.id)
            clause["seq"] = ["$gt": .int64(start), "$lte": .int64(summary.snapshot.lastSequence)]
            return clause
        }
        let found = try aggregate(
            MongoSchema.messages,
            [
                ["$match": ["$or": .documents(clauses)]],
                ["$group": ["_id": ["room": "$roomId", "value": field]]],
                ["$group": ["_id": "$_id.room", "count": ["$sum": 1]]],
            ])
        var counts: [RoomID: Int] = [:]
        for document in found {
            guard let room = document["_id"]?.identifier else { continue }
            counts[RoomID(unchecked: room), default: 0] += Int(clamping: document["count"]?.integer ?? 0)
        }
        return counts
    }
}
