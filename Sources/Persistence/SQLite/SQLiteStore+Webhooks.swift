public import ChatDomain

extension SQLiteStore {
    public func addDeliveries(_ deliveries: [WebhookDelivery], owner: InstanceID) async throws(StoreError) {
        try await write { session throws(StoreError) in
            for delivery in deliveries { try session.connection.add(delivery, owner: owner) }
        }
    }

    public func dueDeliveries(
        of owner: InstanceID, to receiver: String, at now: Timestamp, limit: Int
    ) async throws(StoreError) -> [DueDelivery] {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.dueDeliveries(of: owner, to: receiver, at: now, limit: limit, unmoved: unmoved)
        }
    }

    public func record(_ results: [WebhookResult]) async throws(StoreError) {
        try await write { session throws(StoreError) in
            for result in results { try session.connection.record(result) }
        }
    }

    public func abandonDeliveries(
        of owner: InstanceID, notTo receivers: Set<String>, at now: Timestamp, failure: String
    ) async throws(StoreError) -> Int {
        try await write { session throws(StoreError) in
            let connection = session.connection
            let owed = try connection.statement(
                "SELECT DISTINCT receiver FROM webhook_deliveries WHERE owner = ? AND due IS NOT NULL"
            ).bind(1, owner.value).rows { $0.text(0) }
            var count = 0
            for receiver in owed where !receivers.contains(receiver) {
                try connection.statement(
                    """
                    UPDATE webhook_deliveries SET due = NULL, failed_at = ?, failure = ?
                    WHERE owner = ? AND receiver = ? AND due IS NOT NULL
                    """
                ).bind(1, now.milliseconds).bind(2, failure).bind(3, owner.value).bind(4, receiver).run()
                count += connection.changes
            }
            return count
        }
    }

    public func adoptDeliveries(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int {
        try await write { session throws(StoreError) in
            try session.connection.statement(
                "UPDATE webhook_deliveries SET owner = ? WHERE owner = ? AND due IS NOT NULL"
            ).bind(1, owner.value).bind(2, dead.value).run()
            return session.connection.changes
        }
    }

    public func deliveryOwners() async throws(StoreError) -> [InstanceID] {
        try await read { connection throws(StoreError) in
            try connection.statement("SELECT DISTINCT owner FROM webhook_deliveries WHERE due IS NOT NULL")
                .rows { InstanceID($0.text(0)) }
        }
    }

    public func deliveryCounts() async throws(StoreError) -> [String: WebhookCounts] {
        try await read { connection throws(StoreError) in
            let rows = try connection.statement(
                "SELECT receiver, count(due), count(*) FROM webhook_deliveries GROUP BY receiver"
            ).rows { row in
                let waiting = Int(row.integer(1))
                return (row.text(0), WebhookCounts(waiting: waiting, dead: Int(row.integer(2)) - waiting))
            }
            return Dictionary(rows) { first, _ in first }
        }
    }

    public func deadLetters(
        after cursor: WebhookDelivery.ID?, limit: Int
    ) async throws(StoreError) -> [WebhookDelivery] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                """
                SELECT d.event, d.receiver, d.type, r.id, d.message, d.body, d.user, d.created_at, d.attempts, d.due,
                    d.failure
                FROM webhook_deliveries d LEFT JOIN rooms r ON r.key = d.message >> 32
                WHERE d.due IS NULL AND (d.event, d.receiver) > (?, ?) ORDER BY d.event, d.receiver LIMIT ?
                """
            ).bind(1, cursor?.event ?? "").bind(2, cursor?.receiver ?? "").bind(3, Int64(max(0, limit)))
                .rows { $0.delivery }
        }
    }

    public func replayDeadLetters(
        _ event: String?, by owner: InstanceID, at now: Timestamp
    ) async throws(StoreError) -> Int {
        try await write { session throws(StoreError) in
            try session.connection.statement(
                """
                UPDATE webhook_deliveries
                SET owner = ?, attempts = 0, due = ?, failed_at = NULL, failure = NULL
                WHERE due IS NULL AND (?3 IS NULL OR event = ?3)
                """
            ).bind(1, owner.value).bind(2, now.milliseconds).bind(3, event).run()
            return session.connection.changes
        }
    }

    public func trimDeadLetters(to limit: Int) async throws(StoreError) -> Int {
        try await write { session throws(StoreError) in
            let connection = session.connection
            let count =
                try connection.statement("SELECT count(*) FROM webhook_deliveries WHERE due IS NULL")
                .first { $0.integer(0) } ?? 0
            guard count > Int64(limit) else { return 0 }
            try connection.statement(
                """
                DELETE FROM webhook_deliveries WHERE (event, receiver) IN (
                    SELECT event, receiver FROM webhook_deliveries WHERE due IS NULL ORDER BY failed_at LIMIT ?)
                """
            ).bind(1, count - Int64(limit)).run()
            return connection.changes
        }
    }
}

extension SQLiteConnection {
    fileprivate func add(_ delivery: WebhookDelivery, owner: InstanceID) throws(StoreError) {
        let due = delivery.dueAt?.milliseconds
        switch delivery.content {
        case .entry(let room, let sequence):
            guard let key = try key(of: room) else { return }
            try insert(delivery, owner, due).bind(5, Schema.messageKey(room: key, sequence)).bind(6, nil as String?)
                .bind(7, nil as String?).run()
        case .body(let text, let user):
            try insert(delivery, owner, due).bind(5, nil as Int64?).bind(6, text).bind(7, user?.value).run()
        }
    }

    private func insert(
        _ delivery: WebhookDelivery, _ owner: InstanceID, _ due: Int64?
    ) throws(StoreError) -> Statement {
        try statement(
            """
            INSERT OR IGNORE INTO webhook_deliveries(
                event, receiver, owner, type, message, body, user, created_at, attempts, due, failed_at, failure)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(1, delivery.id.event).bind(2, delivery.id.receiver).bind(3, owner.value).bind(4, delivery.type)
            .bind(8, delivery.createdAt.milliseconds).bind(9, Int64(delivery.attempts)).bind(10, due)
            .bind(11, due == nil ? delivery.createdAt.milliseconds : nil).bind(12, delivery.failure)
    }

    fileprivate func dueDeliveries(
        of owner: InstanceID, to receiver: String, at now: Timestamp, limit: Int, unmoved: UnmovedMessages
    ) throws(StoreError) -> [DueDelivery] {
        let deliveries = try statement(
            """
            SELECT d.event, d.receiver, d.type, r.id, d.message, d.body, d.user, d.created_at, d.attempts, d.due,
                d.failure
            FROM webhook_deliveries d LEFT JOIN rooms r ON r.key = d.message >> 32
            WHERE d.owner = ? AND d.receiver = ? AND d.due IS NOT NULL AND d.due <= ? ORDER BY d.due LIMIT ?
            """
        ).bind(1, owner.value).bind(2, receiver).bind(3, now.milliseconds).bind(4, Int64(max(0, limit)))
            .rows { row in (row.delivery, row.integer(4)) }
        var due: [DueDelivery] = []
        for (delivery, key) in deliveries {
            guard case .entry(let room, _) = delivery.content else {
                due.append(DueDelivery(delivery))
                continue
            }
            due.append(DueDelivery(delivery, entry: try entry(of: PendingEvent(key: key, room: room), unmoved)))
        }
        return due
    }

    fileprivate func record(_ result: WebhookResult) throws(StoreError) {
        switch result.outcome {
        case .done:
            try statement("DELETE FROM webhook_deliveries WHERE event = ? AND receiver = ?")
                .bind(1, result.id.event).bind(2, result.id.receiver).run()
        case .retry(let time, let failure):
            try statement(
                """
                UPDATE webhook_deliveries SET attempts = attempts + 1, due = ?, failure = ?
                WHERE event = ? AND receiver = ? AND due IS NOT NULL
                """
            ).bind(1, time.milliseconds).bind(2, failure).bind(3, result.id.event).bind(4, result.id.receiver).run()
        case .dead(let time, let failure):
            try statement(
                """
                UPDATE webhook_deliveries SET attempts = attempts + 1, due = NULL, failed_at = ?, failure = ?
                WHERE event = ? AND receiver = ? AND due IS NOT NULL
                """
            ).bind(1, time.milliseconds).bind(2, failure).bind(3, result.id.event).bind(4, result.id.receiver).run()
        }
    }
}

extension Row {
    fileprivate var delivery: WebhookDelivery {
        let content: WebhookDelivery.Content =
            optionalText(3).map { .entry(RoomID(unchecked: $0), Schema.sequence(ofKey: integer(4))) }
            ?? .body(text(5), about: optionalText(6).map { UserID(unchecked: $0) })
        return WebhookDelivery(
            .init(event: text(0), receiver: text(1)), type: text(2), content: content,
            createdAt: Timestamp(milliseconds: integer(7)), attempts: Int(clamping: integer(8)),
            dueAt: optionalInteger(9).map { Timestamp(milliseconds: $0) }, failure: optionalText(10))
    }
}
