import ChatDomain

extension WriteBehind where Key == RoomID, Value == Message {
    /// Updates `rooms.lastMessage`, which other programs read.
    static func lastMessages(_ workers: MongoWorkers) -> Self {
        Self(workers: workers, pacing: Pacing(interval: .seconds(1), pausePerWork: 9, slice: 32)) {
            $0.sequence > $1.sequence
        } write: { connection, messages throws(MongoError) in
            try connection.updateLastMessages(messages.map(\.value))
        }
    }
}

extension MongoConnection {
    fileprivate func updateLastMessages(_ messages: [Message]) throws(MongoError) {
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
    }
}
