import ChatDomain

/// Names of collections and fields. `messages` and `rooms` are shared with other programs and keep their field names;
/// the others are this service's own.
enum MongoSchema {
    static let messages = "messages"
    static let rooms = "rooms"
    static let readMarks = "chatReadMarks"
    static let profiles = "chatProfiles"
    static let friends = "chatFriends"
    static let notes = "chatNotes"
    static let standings = "chatStandings"
    static let blocks = "chatBlocks"
    static let userBans = "chatUserBans"
    static let flags = "chatFlags"
    static let erasures = "chatErasures"
    static let webhookDeliveries = "chatWebhookDeliveries"
    static let audit = "chatAudit"

    static let numberIndex = "roomId_1_seq_1"
    static let clientIDIndex = "roomId_1_userId_1_clientMessageId_1"

    /// Comparisons match values of one type only, so these match every number and every text. Written as ranges they let the
    /// server see that a partial index with such a condition contains what a query asks for.
    static let isNumber: BSONDocument = ["$gte": .double(-.infinity)]
    static let isText: BSONDocument = ["$gte": ""]
    static let isUnnumbered: BSONValue = ["$not": ["$type": "number"]]

    /// `rooms.state`; an existing room has none.
    enum RoomState {
        /// A document that exists for its numbers only: messages were stored before the room was made.
        static let unmade: BSONValue = "unmade"
        static let deleted: BSONValue = "deleted"
        static let live: BSONValue = nil
    }

    /// Matches a room in which `user` is a participant already, or that has fewer than `limit` participants.
    ///
    /// - Parameter limit: at least 1.
    static func admits(_ user: UserID, limit: Int) -> BSONDocument {
        ["$or": [["participants": .any(of: user)], ["participants.\(limit - 1)": ["$exists": false]]]]
    }

    /// The indexes of each collection.
    static let indexes: [(collection: String, indexes: [BSONDocument])] = [
        (
            messages,
            [
                index(numberIndex, ["roomId": 1, "seq": 1], unique: true, where: ["seq": .document(isNumber)]),
                index(
                    clientIDIndex, ["roomId": 1, "userId": 1, "clientMessageId": 1], unique: true,
                    where: ["clientMessageId": .document(isText)]),
                index(
                    "eventOwner_1_timestamp_1__id_1", ["eventOwner": 1, "timestamp": 1, "_id": 1],
                    where: ["eventOwner": .document(isText)]),
                index(
                    "webhookOwner_1_timestamp_1__id_1", ["webhookOwner": 1, "timestamp": 1, "_id": 1],
                    where: ["webhookOwner": .document(isText)]),
                index(
                    "words_1_roomId_1_timestamp_-1__id_-1", ["words": 1, "roomId": 1, "timestamp": -1, "_id": -1],
                    where: ["words": .document(isText)]),
                index(
                    "roomId_1_change.kind_1_seq_1", ["roomId": 1, "change.kind": 1, "seq": 1],
                    where: ["change.kind": .document(isText)]),
                index(
                    "mentions_1_roomId_1_seq_1", ["mentions": 1, "roomId": 1, "seq": 1],
                    where: ["mentions": .document(isText)]),
                index(
                    "roomId_1_appliesTo_1", ["roomId": 1, "appliesTo": 1], where: ["appliesTo": .document(isText)]),
                index(
                    "roomId_1_changeOf_1", ["roomId": 1, "changeOf": 1],
                    where: ["changeOf": .document(isText)]),
                index(
                    "roomId_1_changeSeq_1", ["roomId": 1, "changeSeq": 1],
                    where: ["changeSeq": .document(isNumber)]),
                index(
                    "roomId_1_replyTo_1_seq_1", ["roomId": 1, "replyTo": 1, "seq": 1],
                    where: ["replyTo": .document(isText)]),
            ]
        ),
        (
            rooms,
            [index("roomId_1", ["roomId": 1], unique: true), index("participants_1", ["participants": 1])]
        ),
        (
            readMarks,
            [index("roomId_1_userId_1", ["roomId": 1, "userId": 1], unique: true), index("userId_1", ["userId": 1])]
        ),
        (
            profiles,
            [index("words_1", ["words": 1])]
        ),
        (
            webhookDeliveries,
            [
                index("event_1_receiver_1", ["event": 1, "receiver": 1], unique: true),
                index("owner_1_receiver_1_due_1", ["owner": 1, "receiver": 1, "due": 1]),
            ]
        ),
        (
            audit,
            [
                index("timestamp_1__id_1", ["timestamp": 1, "_id": 1]),
                index("userId_1_timestamp_1", ["userId": 1, "timestamp": 1]),
            ]
        ),
        (
            erasures,
            [index("key_1", ["key": 1], unique: true)]
        ),
        (
            friends,
            [index("userId_1_friendId_1", ["userId": 1, "friendId": 1], unique: true)]
        ),
        (
            standings,
            [
                index(
                    "roomId_1_kind_1_userId_1", ["roomId": 1, "kind": 1, "userId": 1], unique: true),
                index("userId_1", ["userId": 1]),
            ]
        ),
        (
            blocks,
            [
                index("userId_1_blockedId_1", ["userId": 1, "blockedId": 1], unique: true),
                index("blockedId_1", ["blockedId": 1]),
            ]
        ),
        (
            flags,
            [
                index(
                    "roomId_1_messageId_1_userId_1", ["roomId": 1, "messageId": 1, "userId": 1], unique: true),
                index("userId_1", ["userId": 1]),
            ]
        ),
    ]

    /// Creates the indexes that are missing.
    static func createIndexes(_ connection: MongoConnection) throws(MongoError) {
        for (collection, indexes) in indexes { try create(on: collection, indexes, connection) }
    }

    /// For serving and numbering messages that an older program left without numbers.
    static func createIndexForUnnumbered(_ connection: MongoConnection) throws(MongoError) {
        try create(on: messages, [indexForUnnumbered], connection)
    }

    static let indexForUnnumbered = index("roomId_1_timestamp_1__id_1", ["roomId": 1, "timestamp": 1, "_id": 1])

    static func create(
        on collection: String, _ indexes: [BSONDocument], _ connection: MongoConnection
    ) throws(MongoError) {
        _ = try connection.write(["createIndexes": .string(collection), "indexes": .documents(indexes)])
    }

    static func index(
        _ name: String, _ key: BSONDocument, unique: Bool = false, where filter: BSONDocument? = nil
    ) -> BSONDocument {
        var index: BSONDocument = ["key": .document(key), "name": .string(name)]
        if unique { index["unique"] = true }
        index["partialFilterExpression"] = filter.map { .document($0) }
        return index
    }
}
