import ChatDomain

/// Going through all messages once, a range of ids at a time.
///
/// Ids of this service are object ids. Ids of other programs come first, as one range.
struct IDRange {
    /// Documents of a range.
    static let size: Int64 = 1000

    /// Exclusive; nil for the ids that are no object ids.
    let after: MessageID?
    /// Inclusive; nil for no end.
    let through: MessageID?

    var filter: BSONValue {
        guard let after else { return ["$not": ["$type": "objectId"]] }
        guard let through else { return ["$gt": .objectID(after)] }
        return ["$gt": .objectID(after), "$lte": .objectID(through)]
    }
}

extension MongoConnection {
    private static let lowest = MessageID(high: 0, low: 0)

    /// The range behind a place.
    func idRange(after cursor: String?) throws(MongoError) -> IDRange {
        guard let after = cursor.flatMap({ MessageID($0) }) else { return IDRange(after: nil, through: nil) }
        let last = try find(
            MongoSchema.messages, ["_id": ["$gt": .objectID(after)]],
            ["sort": ["_id": 1], "skip": .int64(IDRange.size - 1), "limit": 1, "projection": ["_id": 1]])
        return IDRange(after: after, through: last.first?["_id"]?.objectID)
    }

    /// Where the range behind this one begins; nil at the end.
    func place(behind range: IDRange) -> String? {
        guard range.after != nil else { return Self.lowest.description }
        return range.through?.description
    }

    // MARK: Users

    func eraseMessages(of erased: ErasedUser, after cursor: String?) throws(MongoError) -> ErasureSlice {
        let range = try idRange(after: cursor)
        let found = try find(
            MongoSchema.messages, ["_id": range.filter, "$or": .documents(Self.naming(erased))],
            ["limit": .int64(IDRange.size)])
        var slice = ErasureSlice(
            next: range.after == nil && found.count >= IDRange.size ? "again" : place(behind: range))
        var rooms: Set<RoomID> = []
        var updates: [BSONDocument] = []
        var lastMessages: [BSONDocument] = []
        var stones: [RoomID: [MessageID]] = [:]
        for document in found {
            guard let id = document["_id"] else { continue }
            if let room = document["roomId"]?.identifier { rooms.insert(RoomID(unchecked: room)) }
            let isChange = document["change"]?.document != nil
            let author = document["userId"]
            if !isChange, author.names(erased.user) || author.names(erased.pseudonym) {
                slice.messages += 1
                let rest = document.erased(erased)
                updates.append(["q": ["_id": id], "u": .document(rest)])
                if erased.messages == .erase, let message = id.objectID, let room = document["roomId"]?.identifier {
                    stones[RoomID(unchecked: room), default: []].append(message)
                }
                if let room = document["roomId"], let sequence = document["seq"] {
                    lastMessages.append([
                        "q": ["roomId": room, "lastSeq": sequence],
                        "u": ["$set": ["lastMessage.content": rest["message"] ?? ""]],
                    ])
                }
            } else if let update = document.neutralization(erased) {
                slice.others += 1
                // A change that is stored meanwhile is not taken back; the next pass finds the document again.
                updates.append(["q": ["_id": id, "changeSeq": document["changeSeq"] ?? .null], "u": .document(update)])
                if let text = update["$set"]?.document?["message"], let room = document["roomId"] {
                    lastMessages.append([
                        "q": ["roomId": room, "lastSeq": document["seq"] ?? .null],
                        "u": ["$set": ["lastMessage.content": text]],
                    ])
                }
            }
        }
        if !updates.isEmpty { try update(MongoSchema.messages, updates) }
        for (room, messages) in stones { try dropReasons(ofFlagsOf: messages, in: room) }
        if !lastMessages.isEmpty { try update(MongoSchema.rooms, lastMessages) }
        if slice.next == nil { try eraseLastMessages(of: erased) }
        slice.rooms = rooms.sorted()
        return slice
    }

    /// Conditions for documents that name the user.
    private static func naming(_ erased: ErasedUser) -> [BSONDocument] {
        let user = BSONValue.any(of: erased.user)
        var conditions: [BSONDocument] = [
            ["userId": user], ["mentions": user], ["reactions.userIds": user], ["change.userId": user],
            ["change.successor": user], ["change.mentions": user],
            ["message": ["$regex": .string(pattern(of: erased.mention))]],
        ]
        if erased.messages == .erase {
            // A change of the message may have written the text again that it had read before.
            conditions.append(["userId": .string(erased.pseudonym), "deleted": ["$ne": true]])
        }
        return conditions
    }

    /// A regular expression for exactly this text.
    static func pattern(of text: String) -> String {
        text.unicodeScalars.reduce(into: "") { pattern, scalar in
            let isPlain = !scalar.isASCII || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            if !isPlain { pattern += "\\" }
            pattern.unicodeScalars.append(scalar)
        }
    }

    private func eraseLastMessages(of erased: ErasedUser) throws(MongoError) {
        var set: BSONDocument = ["lastMessage.senderId": .string(erased.pseudonym)]
        if erased.messages == .erase { set["lastMessage.content"] = "" }
        try update(
            MongoSchema.rooms,
            [
                [
                    "q": ["lastMessage.senderId": .any(of: erased.user)], "u": ["$set": .document(set)], "multi": true,
                ]
            ])
    }

    func eraseRecords(of erased: ErasedUser) throws(MongoError) -> [RoomID] {
        let user = BSONValue.any(of: erased.user)
        let rooms = try find(
            MongoSchema.rooms, ["$or": [["participants": user], ["owner": user]]], ["projection": ["roomId": 1]])
        _ = try delete(MongoSchema.profiles, [["_id": .string(erased.user)]])
        _ = try delete(MongoSchema.friends, [["userId": .string(erased.user)], ["friendId": .string(erased.user)]])
        _ = try delete(MongoSchema.readMarks, [["userId": .string(erased.user)]])
        try update(
            MongoSchema.rooms,
            [
                ["q": ["participants": user], "u": ["$pull": ["participants": user]], "multi": true],
                ["q": ["owner": user], "u": ["$set": ["owner": nil]], "multi": true],
            ])
        return rooms.compactMap { $0["roomId"]?.identifier.map { RoomID(unchecked: $0) } }
    }
}

extension BSONDocument {
    fileprivate func erased(_ erased: ErasedUser) -> BSONDocument {
        switch erased.messages {
        case .erase: stone(author: (erased.pseudonym, ErasedUser.username))
        case .anonymize: anonymized(erased)
        }
    }
}
