import ChatDomain

extension MongoConnection {
    func readMarks(in room: RoomID, after cursor: UserID?, limit: Int) throws(MongoError) -> [ReadMark] {
        try find(
            MongoSchema.readMarks, ["roomId": .string(room), "userId": ["$gt": .string(cursor?.value ?? "")]],
            ["sort": ["userId": 1], "limit": .int64(Int64(limit))]
        ).compactMap(\.readMark)
    }

    /// The room's furthest marks.
    func newestReadMarks(in room: RoomID) throws(MongoError) -> [ReadMark] {
        try find(
            MongoSchema.readMarks, ["roomId": .string(room)],
            ["sort": ["seq": -1, "userId": 1], "limit": .int64(Int64(ReadMarkBoard.capacity))]
        ).compactMap(\.readMark)
    }
}

extension BSONDocument {
    fileprivate var readMark: ReadMark? {
        guard let user = self["userId"]?.text else { return nil }
        return ReadMark(userID: UserID(unchecked: user), sequence: MessageNumbers.mark(self["seq"]?.integer))
    }
}
