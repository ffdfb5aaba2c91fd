import ChatDomain

extension MongoConnection {
    private static let updatesPerCommand = 1000

    /// Adds users to the participants of existing rooms, up to the limit.
    ///
    /// - Returns: nil when all users are participants now, else the participants of each room; missing rooms are absent.
    func recordParticipants(
        _ joined: [(room: RoomID, users: [UserID])], limit: Int
    ) throws(MongoError) -> [RoomID: RoomPeople]? {
        let updates = joined.flatMap { room, users in
            users.map { user -> BSONDocument in
                var query: BSONDocument = ["roomId": .any(of: room), "state": MongoSchema.RoomState.live]
                query.fields += MongoSchema.admits(user, limit: limit).fields
                return [
                    "q": .document(query), "u": ["$addToSet": ["participants": .string(user)]],
                    "multi": .bool(BSONValue.isAmbiguous(room)),
                ]
            }
        }
        var matched = 0
        for slice in updates.slices(of: Self.updatesPerCommand) { matched += try update(MongoSchema.rooms, slice) }
        // Two documents of one room may hide that another room has no place.
        let isCountReliable = !joined.contains { BSONValue.isAmbiguous($0.room) }
        return isCountReliable && matched == updates.count ? nil : try people(of: joined.map(\.room))
    }
}
