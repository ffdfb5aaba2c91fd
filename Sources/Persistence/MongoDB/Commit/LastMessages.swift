import ChatDomain

extension WriteBehind where Key == RoomID, Value == Message {
    /// Updates `rooms.lastMessage`, which other programs read.
    static func lastMessages(_ workers: MongoWorkers) -> Self {
        Self(workers: workers, pacing: Pacing(interval: .seconds(1), pausePerWork: 9, slice: 32)) {
            $0.sequence > $1.sequence
        } write: { connection, messages throws(MongoError) in
            try connection.noteLastMessages(messages.map(\.value))
        }
    }
}

extension MongoConnection {
    /// Stores each room's last message, if it is a later one. One that was changed since it was sent is stored as it is then: a
    /// change that comes later finds the room's last message in place.
    fileprivate func noteLastMessages(_ messages: [Message]) throws(MongoError) {
        let updates = messages.map { message -> BSONDocument in
            [
                "q": [
                    "roomId": .any(of: message.roomID), "state": MongoSchema.RoomState.live,
                    // This also matches rooms without a last message.
                    "lastSeq": ["$not": ["$gte": .int64(message.sequence)]],
                ],
                "u": [
                    "$set": [
                        "lastSeq": .int64(message.sequence),
                        "lastMessage": [
                            "content": .string(message.body.text), "timestamp": .date(message.timestamp),
                            "senderId": .string(message.body.author),
                        ],
                    ],
                    "$max": ["updatedAt": .date(message.timestamp)],
                ],
                "multi": .bool(BSONValue.isAmbiguous(message.roomID)),
            ]
        }
        _ = try write(["update": .string(MongoSchema.rooms), "ordered": false, "updates": .documents(updates)])
        let changed = messages.map { message -> BSONDocument in
            [
                "roomId": .any(of: message.roomID), "seq": .int64(message.sequence),
                "changeSeq": .document(MongoSchema.isNumber),
            ]
        }
        let found = try find(MongoSchema.messages, ["$or": .documents(changed)], Self.local)
        try updateLastMessages(found.compactMap { $0.message() })
    }

    /// Brings the text of rooms' last messages up to date, where these are the last ones.
    func updateLastMessages(_ messages: [Message]) throws(MongoError) {
        guard !messages.isEmpty else { return }
        try update(
            MongoSchema.rooms,
            messages.map { message in
                [
                    "q": ["roomId": .any(of: message.roomID), "lastSeq": .int64(message.sequence)],
                    "u": ["$set": ["lastMessage.content": .string(message.body.text)]],
                    "multi": .bool(BSONValue.isAmbiguous(message.roomID)),
                ]
            })
    }
}
