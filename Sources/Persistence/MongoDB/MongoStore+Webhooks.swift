public import ChatDomain

/// Deliveries to webhook receivers. One that waits has `due`, a dead letter has `failedAt`.
extension MongoStore {
    public func addDeliveries(_ deliveries: [WebhookDelivery], owner: InstanceID) async throws(StoreError) {
        guard !deliveries.isEmpty else { return }
        let updates = deliveries.map { delivery -> BSONDocument in
            [
                "q": .document(.delivery(delivery.id)),
                "u": ["$setOnInsert": .document(BSONDocument(delivery, owner: owner))], "upsert": true,
            ]
        }
        try await run { connection throws(MongoError) in
            try connection.upsert(MongoSchema.webhookDeliveries, updates)
        }
    }

    public func dueDeliveries(
        of owner: InstanceID, to receiver: String, at now: Timestamp, limit: Int
    ) async throws(StoreError) -> [DueDelivery] {
        guard limit > 0 else { return [] }
        return try await run { connection throws(MongoError) in
            let deliveries = try connection.find(
                MongoSchema.webhookDeliveries,
                ["owner": .string(owner.value), "receiver": .string(receiver), "due": ["$lte": .date(now)]],
                ["sort": ["due": 1], "limit": .int64(Int64(limit))]
            ).compactMap(\.delivery)
            return try connection.withEntries(deliveries)
        }
    }

    public func record(_ results: [WebhookResult]) async throws(StoreError) {
        var done: [BSONDocument] = []
        var updates: [BSONDocument] = []
        for result in results {
            var query = BSONDocument.delivery(result.id)
            switch result.outcome {
            case .done: done.append(query)
            case .retry(let time, let failure):
                query["due"] = ["$exists": true]
                updates.append([
                    "q": .document(query),
                    "u": ["$inc": ["attempts": 1], "$set": ["due": .date(time), "failure": .string(failure)]],
                ])
            case .dead(let time, let failure):
                query["due"] = ["$exists": true]
                updates.append([
                    "q": .document(query),
                    "u": [
                        "$inc": ["attempts": 1], "$set": ["failedAt": .date(time), "failure": .string(failure)],
                        "$unset": ["due": ""],
                    ],
                ])
            }
        }
        try await run { [done, updates] connection throws(MongoError) in
            if !done.isEmpty { try connection.delete(MongoSchema.webhookDeliveries, done) }
            if !updates.isEmpty { try connection.update(MongoSchema.webhookDeliveries, updates) }
        }
    }

    public func abandonDeliveries(
        of owner: InstanceID, notTo receivers: Set<String>, at now: Timestamp, failure: String
    ) async throws(StoreError) -> Int {
        let update: BSONDocument = [
            "q": [
                "owner": .string(owner.value), "receiver": ["$nin": .array(receivers.sorted().map { .string($0) })],
                "due": ["$exists": true],
            ],
            "u": ["$set": ["failedAt": .date(now), "failure": .string(failure)], "$unset": ["due": ""]],
            "multi": true,
        ]
        return try await run { connection throws(MongoError) in
            try connection.update(MongoSchema.webhookDeliveries, [update])
        }
    }

    public func adoptDeliveries(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int {
        let update: BSONDocument = [
            "q": ["owner": .string(dead.value), "due": ["$exists": true]],
            "u": ["$set": ["owner": .string(owner.value)]], "multi": true,
        ]
        return try await run { connection throws(MongoError) in
            try connection.update(MongoSchema.webhookDeliveries, [update])
        }
    }

    public func deliveryOwners() async throws(StoreError) -> [InstanceID] {
        try await run { connection throws(MongoError) in
            try connection.aggregate(
                MongoSchema.webhookDeliveries,
                [["$match": ["due": ["$exists": true]]], ["$group": ["_id": "$owner"]]]
            ).compactMap { $0["_id"]?.text.map { InstanceID($0) } }
        }
    }

    public func deliveryCounts() async throws(StoreError) -> [String: WebhookCounts] {
        try await run { connection throws(MongoError) in
            var counts: [String: WebhookCounts] = [:]
            for (field, count) in [("due", \WebhookCounts.waiting), ("failedAt", \WebhookCounts.dead)] {
                let match: BSONDocument = [field: ["$exists": true]]
                for found in try connection.aggregate(
                    MongoSchema.webhookDeliveries,
                    [["$match": .document(match)], ["$group": ["_id": "$receiver", "count": ["$sum": 1]]]])
                {
                    guard let receiver = found["_id"]?.text else { continue }
                    counts[receiver, default: WebhookCounts()][keyPath: count] =
                        Int(clamping: found["count"]?.integer ?? 0)
                }
            }
            return counts
        }
    }

    public func deadLetters(
        after cursor: WebhookDelivery.ID?, limit: Int
    ) async throws(StoreError) -> [WebhookDelivery] {
        guard limit > 0 else { return [] }
        var filter: BSONDocument = ["failedAt": ["$exists": true]]
        if let cursor {
            filter["$or"] = [
                ["event": ["$gt": .string(cursor.event)]],
                ["event": .string(cursor.event), "receiver": ["$gt": .string(cursor.receiver)]],
            ]
        }
        return try await run { [filter] connection throws(MongoError) in
            try connection.find(
                MongoSchema.webhookDeliveries, filter,
                ["sort": ["event": 1, "receiver": 1], "limit": .int64(Int64(limit))]
            ).compactMap(\.delivery)
        }
    }

    public func replayDeadLetters(
        _ event: String?, by owner: InstanceID, at now: Timestamp
    ) async throws(StoreError) -> Int {
        var query: BSONDocument = ["failedAt": ["$exists": true]]
        query["event"] = event.map { .string($0) }
        let update: BSONDocument = [
            "q": .document(query),
            "u": [
                "$set": ["owner": .string(owner.value), "attempts": 0, "due": .date(now)],
                "$unset": ["failedAt": "", "failure": ""],
            ],
            "multi": true,
        ]
        return try await run { connection throws(MongoError) in
            try connection.update(MongoSchema.webhookDeliveries, [update])
        }
    }

    public func trimDeadLetters(to limit: Int) async throws(StoreError) -> Int {
        try await run { connection throws(MongoError) in
            let dead: BSONDocument = ["failedAt": ["$exists": true]]
            let surplus = try connection.count(MongoSchema.webhookDeliveries, dead) - limit
            guard surplus > 0 else { return 0 }
            let oldest = try connection.find(
                MongoSchema.webhookDeliveries, dead, ["sort": ["failedAt": 1], "limit": .int64(Int64(surplus))])
            return try connection.delete(
                MongoSchema.webhookDeliveries, oldest.compactMap { $0.delivery.map { .delivery($0.id) } })
        }
    }
}

extension MongoConnection {
    /// Deliveries with the entries that they are of.
    fileprivate func withEntries(_ deliveries: [WebhookDelivery]) throws(MongoError) -> [DueDelivery] {
        let places = deliveries.compactMap { delivery -> BSONDocument? in
            guard case .entry(let room, let sequence) = delivery.content else { return nil }
            return ["roomId": .any(of: room), "seq": .int64(sequence)]
        }
        let found = places.isEmpty ? [] : try entries(find(MongoSchema.messages, ["$or": .documents(places)]))
        return deliveries.map { delivery in
            guard case .entry(let room, let sequence) = delivery.content else { return DueDelivery(delivery) }
            return DueDelivery(delivery, entry: found.first { $0.roomID == room && $0.sequence == sequence })
        }
    }
}

extension BSONDocument {
    /// Matches a delivery.
    fileprivate static func delivery(_ id: WebhookDelivery.ID) -> BSONDocument {
        ["event": .string(id.event), "receiver": .string(id.receiver)]
    }

    /// All of a delivery but its id.
    fileprivate init(_ delivery: WebhookDelivery, owner: InstanceID) {
        self = [
            "owner": .string(owner.value), "type": .string(delivery.type), "createdAt": .date(delivery.createdAt),
            "attempts": .int64(Int64(delivery.attempts)),
        ]
        switch delivery.content {
        case .entry(let room, let sequence):
            self["roomId"] = .string(room)
            self["seq"] = .int64(sequence)
        case .body(let text, let user):
            self["body"] = .string(text)
            self["userId"] = user.map { .string($0) }
        }
        if let due = delivery.dueAt { self["due"] = .date(due) } else { self["failedAt"] = .date(delivery.createdAt) }
        self["failure"] = delivery.failure.map { .string($0) }
    }

    fileprivate var delivery: WebhookDelivery? {
        guard let event = self["event"]?.text, let receiver = self["receiver"]?.text, let type = self["type"]?.text,
            let content = deliveryContent
        else { return nil }
        return WebhookDelivery(
            .init(event: event, receiver: receiver), type: type, content: content,
            createdAt: self["createdAt"]?.timestamp ?? Timestamp(milliseconds: 0),
            attempts: Int(clamping: self["attempts"]?.integer ?? 0), dueAt: self["due"]?.timestamp,
            failure: self["failure"]?.text)
    }

    private var deliveryContent: WebhookDelivery.Content? {
        if let text = self["body"]?.text {
            return .body(text, about: self["userId"]?.identifier.map { UserID(unchecked: $0) })
        }
        guard let room = self["roomId"]?.identifier, let sequence = MessageNumbers.message(self["seq"]?.integer) else {
            return nil
        }
        return .entry(RoomID(unchecked: room), sequence)
    }
}
