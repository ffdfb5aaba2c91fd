import ChatDomain

extension MongoConnection {
    /// What a room has on record about users: standings of a group, blocks between the two of a direct room.
    func authority(of room: RoomID) throws(MongoError) -> RoomAuthority {
        guard let (a, b) = DirectRoom.participants(of: room) else {
            return RoomAuthority(
                try find(MongoSchema.standings, ["roomId": .string(room)]).compactMap(\.standing))
        }
        let pairs: [BSONValue] = [(a, b), (b, a)].map { ["userId": .string($0), "blockedId": .string($1)] }
        let found = try find(MongoSchema.blocks, ["$or": .array(pairs)])
        return RoomAuthority([], blocked: Set(found.compactMap { $0["blockedId"]?.text.map { UserID(unchecked: $0) } }))
    }
}

extension BSONDocument {
    /// Since when a standing, block, ban or flag is there.
    var since: Timestamp { self["since"]?.timestamp ?? Timestamp(milliseconds: 0) }

    var standing: RoomStanding? {
        guard let user = self["userId"]?.text, let kind = self["kind"]?.text.flatMap(RoomStanding.Kind.init) else {
            return nil
        }
        return RoomStanding(
            kind, of: UserID(unchecked: user), until: self["until"]?.timestamp, reason: self["reason"]?.text,
            by: self["by"]?.text.map { UserID(unchecked: $0) }, since: since)
    }
}
