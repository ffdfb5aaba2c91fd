import ChatDomain

/// Names and documents of GridFS's bucket `fs` (MongoDB's GridFS specification), as this service writes them.
enum GridFS {
    static let files = "fs.files"
    static let chunks = "fs.chunks"
    /// Files that are being written or removed, so that a process that dies leaves no chunks behind: `_id`, `touchedAt`, `isGoing`.
    static let unfinished = "chatUploads"
    /// Notes of files that go with their messages: `_id`, `roomId`, `messageId`, `userId`, `notedAt`.
    static let removals = "chatFileRemovals"
    /// Bytes of a chunk: as many as a download reads at once.
    static let chunkBytes = 128 * 1024
    /// The note with the key of signed addresses.
    static let keyNote = "fileKey"

    static func document(_ file: StoredFile) -> BSONDocument {
        var metadata: BSONDocument = [
            "roomId": .string(file.roomID), "userId": .string(file.owner), "contentType": .string(file.contentType),
            "sha256": .string(file.sha256), "referenced": .bool(file.isReferenced),
        ]
        metadata["width"] = file.dimensions.map { .int64(Int64($0.width)) }
        metadata["height"] = file.dimensions.map { .int64(Int64($0.height)) }
        return [
            "_id": .string(file.id.text), "length": .int64(file.size), "chunkSize": .int32(Int32(chunkBytes)),
            "uploadDate": .date(file.uploadedAt), "filename": .string(file.name), "metadata": .document(metadata),
        ]
    }

    /// nil for a document that this service cannot have written.
    static func file(_ document: BSONDocument) -> StoredFile? {
        guard let text = document["_id"]?.text, let id = FileID(text), let metadata = document["metadata"]?.document,
            let room = metadata["roomId"]?.text, let owner = metadata["userId"]?.text,
            let roomID = try? RoomID(validating: room, field: "roomId"),
            let ownerID = try? UserID(validating: owner, field: "userId"),
            document["chunkSize"]?.integer == Int64(chunkBytes), let size = document["length"]?.integer, size > 0,
            let uploadedAt = document["uploadDate"]?.timestamp
        else { return nil }
        return StoredFile(
            id: id, roomID: roomID, owner: ownerID, name: FileName.sanitized(document["filename"]?.text ?? ""),
            contentType: MediaType.sanitized(metadata["contentType"]?.text), size: size,
            sha256: metadata["sha256"]?.text ?? "",
            dimensions: ImageDimensions(
                width: metadata["width"]?.integer, height: metadata["height"]?.integer),
            uploadedAt: uploadedAt, isReferenced: metadata["referenced"]?.bool ?? true)
    }

    static func filter(_ selection: FileSelection) -> BSONDocument {
        switch selection {
        case .room(let room): ["metadata.roomId": .string(room)]
        case .owner(let owner): ["metadata.userId": .string(owner)]
        case .unreferenced(let time): ["metadata.referenced": false, "uploadDate": ["$lt": .date(time)]]
        }
    }
}

extension MongoSchema {
    /// Creates the indexes of files that are missing: those of the GridFS specification, and those for lists.
    static func createFileIndexes(_ connection: MongoConnection) throws(MongoError) {
        try create(on: GridFS.chunks, [index("files_id_1_n_1", ["files_id": 1, "n": 1], unique: true)], connection)
        try create(
            on: GridFS.files,
            [
                index("filename_1_uploadDate_1", ["filename": 1, "uploadDate": 1]),
                index("metadata.roomId_1__id_1", ["metadata.roomId": 1, "_id": 1]),
                index("metadata.userId_1__id_1", ["metadata.userId": 1, "_id": 1]),
                index("metadata.referenced_1_uploadDate_1", ["metadata.referenced": 1, "uploadDate": 1]),
            ], connection)
    }
}
