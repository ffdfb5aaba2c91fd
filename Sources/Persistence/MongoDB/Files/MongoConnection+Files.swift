import ChatDomain

/// Commands on files. Each may be sent again.
extension MongoConnection {
    func touchUnfinished(_ id: FileID, at time: Timestamp, isGoing: Bool = false) throws(MongoError) {
        let changes: BSONDocument = ["touchedAt": .date(time), "isGoing": .bool(isGoing)]
        try upsert(GridFS.unfinished, [["q": Self.query(id), "u": ["$set": .document(changes)], "upsert": true]])
    }

    func forgetUnfinished(_ id: FileID) throws(MongoError) {
        try delete(GridFS.unfinished, [["_id": .string(id.text)]])
    }

    func writeChunk(_ id: FileID, number: Int, _ data: [UInt8]) throws(MongoError) {
        let query: BSONDocument = ["files_id": .string(id.text), "n": .int32(Int32(clamping: number))]
        try upsert(GridFS.chunks, [["q": .document(query), "u": ["$set": ["data": .binary(data)]], "upsert": true]])
    }

    func writeFile(_ file: StoredFile) throws(MongoError) {
        let document = GridFS.document(file)
        try upsert(GridFS.files, [["q": Self.query(file.id), "u": .document(document), "upsert": true]])
    }

    func file(_ id: FileID) throws(MongoError) -> StoredFile? {
        try find(GridFS.files, ["_id": .string(id.text)], ["limit": 1]).first.flatMap(GridFS.file)
    }

    /// The content of a chunk; nil where there is none.
    func chunk(_ id: FileID, number: Int64) throws(MongoError) -> [UInt8]? {
        let query: BSONDocument = ["files_id": .string(id.text), "n": .int64(number)]
        return try find(GridFS.chunks, query, ["limit": 1]).first?["data"]?.binary
    }

    func files(_ selection: FileSelection, after cursor: FileID?, limit: Int) throws(MongoError) -> [BSONDocument] {
        var filter = GridFS.filter(selection)
        filter["_id"] = ["$gt": .string(cursor?.text ?? "")]
        return try find(GridFS.files, filter, ["sort": ["_id": 1], "limit": .int64(Int64(limit))])
    }

    func setReferenced(_ id: FileID, _ isReferenced: Bool) throws(MongoError) -> Bool {
        let query: BSONDocument = ["_id": .string(id.text), "metadata.referenced": .bool(!isReferenced)]
        let change: BSONDocument = ["$set": ["metadata.referenced": .bool(isReferenced)]]
        return try update(GridFS.files, [["q": .document(query), "u": .document(change)]]) > 0
    }

    /// Removes a file. The note that it is going brings the rest about where this process ends in between.
    func removeFile(_ id: FileID) throws(MongoError) {
        try touchUnfinished(id, at: Timestamp(milliseconds: 0), isGoing: true)
        try delete(GridFS.files, [["_id": .string(id.text)]])
        try delete(GridFS.chunks, [["files_id": .string(id.text)]])
        try forgetUnfinished(id)
    }

    /// Removes the chunks of files that were not finished or not removed wholly.
    ///
    /// - Returns: how many files that were.
    func removeUnfinished(since time: Timestamp, limit: Int) throws(MongoError) -> Int {
        let found = try find(GridFS.unfinished, ["touchedAt": ["$lt": .date(time)]], ["limit": .int64(Int64(limit))])
        for document in found {
            guard let id = document["_id"]?.text.flatMap({ FileID($0) }) else { continue }
            let isGoing = document["isGoing"]?.bool ?? false
            if !isGoing, try file(id) != nil { try forgetUnfinished(id) } else { try removeFile(id) }
        }
        return found.count
    }

    // MARK: Notes of removals

    func note(_ removal: FileRemoval) throws(MongoError) {
        let content: BSONDocument = [
            "roomId": .string(removal.roomID), "messageId": .objectID(removal.messageID),
            "userId": .string(removal.author), "notedAt": .date(removal.notedAt),
        ]
        try upsert(
            GridFS.removals, [["q": Self.query(removal.file), "u": ["$set": .document(content)], "upsert": true]])
    }

    func forgetRemoval(of id: FileID) throws(MongoError) {
        try delete(GridFS.removals, [["_id": .string(id.text)]])
    }

    func removals(notedBefore time: Timestamp, limit: Int) throws(MongoError) -> [FileRemoval] {
        try find(GridFS.removals, ["notedAt": ["$lt": .date(time)]], ["limit": .int64(Int64(limit))])
            .compactMap { document in
                guard let file = document["_id"]?.text.flatMap({ FileID($0) }),
                    let room = document["roomId"]?.text, let roomID = try? RoomID(validating: room, field: "roomId"),
                    let user = document["userId"]?.text, let author = try? UserID(validating: user, field: "userId"),
                    let message = document["messageId"]?.objectID, let notedAt = document["notedAt"]?.timestamp
                else { return nil }
                return FileRemoval(
                    file: file, roomID: roomID, messageID: message, author: author, notedAt: notedAt)
            }
    }

    /// What is kept under the note's name: `text`, or what another instance has put there before.
    func fileKey(orElse text: String) throws(MongoError) -> String? {
        let query: BSONDocument = ["_id": .string(GridFS.keyNote)]
        let change: BSONDocument = ["$setOnInsert": ["key": .string(text)]]
        try upsert(MongoSchema.notes, [["q": .document(query), "u": .document(change), "upsert": true]])
        return try find(MongoSchema.notes, query, ["limit": 1]).first?["key"]?.text
    }

    private static func query(_ id: FileID) -> BSONValue { ["_id": .string(id.text)] }
}
