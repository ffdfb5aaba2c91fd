import ChatDomain

/// The words by which messages are found, for messages that older programs stored without.
extension MongoConnection {
    /// Messages to look through, in the order of their ids, which are all of one type.
    struct WordlessRange: Sendable {
        var kind: MongoSchema.IDKind
        var after: BSONValue
        var last: BSONValue
        var isEmpty: Bool { after == last }
    }

    /// The messages behind those that were looked through before; nil where there are none.
    func wordless(_ kind: MongoSchema.IDKind) throws(MongoError) -> WordlessRange? {
        let newest = try find(
            MongoSchema.messages, ["_id": ["$gte": kind.least]],
            ["sort": ["_id": -1], "limit": 1, "projection": ["_id": 1]])
        guard let last = newest.first?["_id"] else { return nil }
        let known = try find(MongoSchema.notes, ["_id": .string(kind.note)]).first?["after"]
        return WordlessRange(kind: kind, after: known ?? kind.least, last: last)
    }

    /// Gives words to the next messages of a range.
    ///
    /// - Returns: the rest of the range.
    func addWords(_ range: WordlessRange, limit: Int64) throws(MongoError) -> WordlessRange {
        let found = try find(
            MongoSchema.messages,
            [
                "_id": ["$gte": range.after, "$lte": range.last], "message": .document(MongoSchema.isText),
                "words": ["$exists": false],
            ],
            [
                "sort": ["_id": 1], "limit": .int64(limit), "projection": ["_id": 1, "roomId": 1, "message": 1],
            ])
        // A text that changed meanwhile got its words with the change.
        try update(
            MongoSchema.messages,
            found.compactMap { document in
                guard let id = document["_id"], let room = document["roomId"], let text = document["message"]?.text
                else { return nil }
                return [
                    "q": ["_id": id, "roomId": room, "message": .string(text)],
                    "u": ["$set": ["words": BSONValue.words(of: text)]],
                ]
            })
        var rest = range
        rest.after = found.count < Int(limit) ? range.last : found.last?["_id"] ?? range.last
        try upsert(
            MongoSchema.notes,
            [["q": ["_id": .string(range.kind.note)], "u": ["$set": ["after": rest.after]], "upsert": true]])
        return rest
    }
}

extension MongoSchema {
    /// Types of `_id` in an existing collection. Comparisons match values of one type only.
    enum IDKind: String, CaseIterable, Sendable {
        case objectID
        case text
        case number

        var least: BSONValue {
            switch self {
            case .objectID: .objectID(MessageID(high: 0, low: 0))
            case .text: ""
            case .number: .double(-.infinity)
            }
        }

        var note: String { "words.\(rawValue)" }
    }
}

extension BSONValue {
    /// `words` of a message with this text; an empty list where it has none.
    static func words(of text: String) -> Self { .strings(SearchText(text).words.sorted()) }
}
