/// Commands that change or remove documents. Their replies report errors of single documents.
extension MongoConnection {
    /// Sends updates. A duplicate key means that a racing upsert made the document, and counts as done.
    ///
    /// - Returns: how many documents the updates matched or made.
    @discardableResult
    func update(_ collection: String, _ updates: [BSONDocument], isOrdered: Bool = false) throws(MongoError) -> Int {
        let reply = try sendUpdates(collection, updates, isOrdered: isOrdered)
        for error in reply.writeErrors where error.errorCode != MongoError.duplicateKey {
            throw MongoError(writeError: error)
        }
        return reply.affected
    }

    /// Sends upserts, and sends those again that failed: when two upserts make a document at the same time, the index refuses
    /// one of them, and its second attempt finds the other's document.
    func upsert(_ collection: String, _ updates: [BSONDocument]) throws(MongoError) {
        let errors = try sendUpdates(collection, updates, isOrdered: false).writeErrors
        guard !errors.isEmpty else { return }
        let failed = errors.compactMap { $0.index(below: updates.count) }
        try update(collection, failed.isEmpty ? updates : failed.map { updates[$0] })
    }

    /// Sends upserts whose filters exclude documents that need no change.
    ///
    /// - Returns: the indices of the upserts that met such a document, which the unique index reports as a duplicate key.
    func indicesOfDuplicates(
        _ collection: String, _ updates: [BSONDocument]
    ) throws(MongoError) -> [Int] {
        var duplicates: [Int] = []
        for error in try sendUpdates(collection, updates, isOrdered: false).writeErrors {
            guard let index = error.index(below: updates.count) else { continue }
            guard error.errorCode == MongoError.duplicateKey else { throw MongoError(writeError: error) }
            duplicates.append(index)
        }
        return duplicates
    }

    @discardableResult
    func delete(_ collection: String, _ filters: [BSONDocument]) throws(MongoError) -> Int {
        let reply = try write([
            "delete": .string(collection),
            "deletes": .documents(filters.map { ["q": .document($0), "limit": 0] }),
        ])
        return reply.affected
    }

    private func sendUpdates(
        _ collection: String, _ updates: [BSONDocument], isOrdered: Bool
    ) throws(MongoError) -> BSONDocument {
        try write(["update": .string(collection), "ordered": .bool(isOrdered), "updates": .documents(updates)])
    }
}
