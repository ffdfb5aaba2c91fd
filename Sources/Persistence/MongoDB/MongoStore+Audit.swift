public import ChatDomain

extension MongoStore {
    public func record(_ entry: AuditEntry) async throws(StoreError) {
        let update: BSONDocument = [
            "q": ["_id": .objectID(entry.id)], "u": ["$setOnInsert": .document(entry.document)], "upsert": true,
        ]
        try await run { connection throws(MongoError) in try connection.upsert(MongoSchema.audit, [update]) }
    }

    public func auditEntries(_ query: AuditQuery) async throws(StoreError) -> [AuditEntry] {
        guard query.limit > 0 else { return [] }
        var filter: BSONDocument = [:]
        if let action = query.action { filter["action"] = .string(action.rawValue) }
        if let user = query.user { filter["userId"] = .string(user) }
        if let actor = query.actor { filter["actor"] = .string(actor) }
        if let place = query.before { filter["$or"] = place.earlier("$lt") }
        return try await run { [filter] connection throws(MongoError) in
            try connection.find(
                MongoSchema.audit, filter,
                ["sort": ["timestamp": -1, "_id": -1], "limit": .int64(Int64(query.limit))]
            ).compactMap(\.auditEntry)
        }
    }

    public func trimAudit(before time: Timestamp, keeping count: Int) async throws(StoreError) {
        try await run { connection throws(MongoError) in
            try connection.delete(MongoSchema.audit, [["timestamp": ["$lt": .date(time)]]])
            let surplus = try connection.find(
                MongoSchema.audit, [:],
                ["sort": ["timestamp": -1, "_id": -1], "skip": .int64(Int64(max(0, count))), "limit": 1])
            guard let place = surplus.first?.auditEntry?.place else { return }
            try connection.delete(MongoSchema.audit, [["$or": place.earlier("$lte")]])
        }
    }
}

extension AuditPlace {
    /// The alternatives of a query for entries before this place.
    ///
    /// - Parameter operator: `$lt`, or `$lte` to have the entry at this place too.
    fileprivate func earlier(_ operator: String) -> BSONValue {
        [
            ["timestamp": ["$lt": .date(timestamp)]],
            ["timestamp": .date(timestamp), "_id": [`operator`: .objectID(id)]],
        ]
    }
}

extension AuditEntry {
    /// All fields but the id.
    fileprivate var document: BSONDocument {
        [
            "timestamp": .date(timestamp), "action": .string(action.rawValue), "outcome": .string(outcome.rawValue),
            "service": .bool(isService), "actor": actor.map { .string($0) } ?? .null,
            "address": address.map { .string($0) } ?? .null, "instance": .string(instance.value),
            "userId": user.map { .string($0) } ?? .null, "roomId": room.map { .string($0) } ?? .null,
            "messageId": message.map { .objectID($0) } ?? .null, "detail": detail.map { .string($0) } ?? .null,
        ]
    }
}

extension BSONDocument {
    fileprivate var auditEntry: AuditEntry? {
        guard let id = self["_id"]?.objectID, let timestamp = self["timestamp"]?.timestamp,
            let action = self["action"]?.text.flatMap(AuditEntry.Action.init),
            let outcome = self["outcome"]?.text.flatMap(AuditEntry.Outcome.init),
            let instance = self["instance"]?.text
        else { return nil }
        return AuditEntry(
            id: id, timestamp: timestamp, action: action, outcome: outcome, isService: self["service"]?.bool ?? false,
            actor: self["actor"]?.text.map { UserID(unchecked: $0) }, address: self["address"]?.text,
            instance: InstanceID(instance), user: self["userId"]?.text.map { UserID(unchecked: $0) },
            room: self["roomId"]?.text.map { RoomID(unchecked: $0) }, message: self["messageId"]?.objectID,
            detail: self["detail"]?.text)
    }
}
