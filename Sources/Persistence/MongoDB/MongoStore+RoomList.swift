public import ChatDomain

extension MongoStore {
    public func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) async throws(StoreError) -> [RoomSummary] {
        try await run { connection throws(MongoError) in
            let rooms = try connection.liveRooms(of: user)
            let newest = try connection.newest(of: Array(rooms.keys))
            let listed = rooms.compactMap { id, documents -> ListedRoom? in
                documents.room.map { ListedRoom(room: $0, documents: documents, newest: newest[id]) }
            }
            .filter { cursor.precedes($0.cursor) }
            .sorted { $0.cursor.precedes($1.cursor) }
            .prefix(max(0, limit))
            let last = try connection.messages(
                upTo: Dictionary(listed.compactMap(\.reachableMessage)) { first, _ in first })
            let marks = try connection.readMarks(of: user, in: listed.map(\.room.id))
            var summaries = listed.map { $0.summary(for: user, last: last[$0.room.id], mark: marks[$0.room.id] ?? 0) }
            let counts = try connection.unreadCounts(of: user, in: summaries)
            for index in summaries.indices {
                let count = counts[summaries[index].snapshot.room.id] ?? UnreadCount()
                (summaries[index].otherNumbers, summaries[index].mentions) = (count.others, count.mentions)
            }
            return summaries
        }
    }
}

/// A room in the list of a user's rooms.
private struct ListedRoom {
    var room: Room
    var documents: RoomDocuments
    var newest: MongoConnection.Newest?

    var cursor: RoomListCursor {
        var activity = room.updatedAt
        if let newest, newest.sequence > room.historyBase, let sent = newest.timestamp {
            activity = max(activity, sent)
        }
        return RoomListCursor(activity: activity, room: room.id)
    }

    var reachableMessage: (RoomID, SequenceNumber)? {
        guard let newest, newest.sequence > room.historyBase else { return nil }
        return (room.id, newest.sequence)
    }

    /// - Parameter mark: the user's stored read mark. To send is to read, even while the mark of a sent message is not yet
    ///   stored.
    func summary(for user: UserID, last: Message?, mark: SequenceNumber) -> RoomSummary {
        let sent = last?.body.author == user ? last?.sequence ?? 0 : 0
        return RoomSummary(
            snapshot: RoomSnapshot(room, documents, newest: newest?.sequence), lastMessage: last,
            lastReadSequence: max(sent, mark))
    }
}

extension MongoConnection {
    /// The rooms a user takes part in, each with all its documents: the user may be in only one of them.
    fileprivate func liveRooms(of user: UserID) throws(MongoError) -> [RoomID: RoomDocuments] {
        let found = try find(
            MongoSchema.rooms, ["participants": .any(of: user), "state": MongoSchema.RoomState.live])
        var rooms = RoomDocuments.grouped(found)
        let ambiguous = rooms.keys.filter { BSONValue.isAmbiguous($0) }
        guard !ambiguous.isEmpty else { return rooms }
        let all = try find(
            MongoSchema.rooms, ["roomId": .any(of: ambiguous), "state": MongoSchema.RoomState.live])
        rooms.merge(RoomDocuments.grouped(all)) { $1 }
        return rooms
    }
}
