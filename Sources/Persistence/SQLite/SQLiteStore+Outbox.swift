public import ChatDomain

extension SQLiteStore {
    public func pendingEvents(
        of owner: InstanceID, to destination: EventDestination, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [RoomLogEntry] {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.pendingEvents(of: owner, to: destination, limit: limit, except: except, unmoved: unmoved)
        }
    }

    public func clearEvents(_ ids: [MessageID], to destination: EventDestination) async throws(StoreError) {
        try await write { session throws(StoreError) in
            for id in ids {
                try session.connection.statement("DELETE FROM outbox WHERE id = ? AND destination = ?")
                    .bind(1, id).bind(2, destination.stored).run()
            }
        }
    }

    public func adoptEvents(
        of dead: InstanceID, to destination: EventDestination, by owner: InstanceID
    ) async throws(StoreError) -> Int {
        try await write { session throws(StoreError) in
            try session.connection.statement("UPDATE outbox SET owner = ? WHERE owner = ? AND destination = ?")
                .bind(1, owner.value).bind(2, dead.value).bind(3, destination.stored).run()
            return session.connection.changes
        }
    }

    public func eventOwners(to destination: EventDestination) async throws(StoreError) -> [InstanceID] {
        try await read { connection throws(StoreError) in
            try connection.statement("SELECT DISTINCT owner FROM outbox WHERE destination = ?")
                .bind(1, destination.stored).rows { row -> InstanceID? in InstanceID(row.text(0)) }
        }
    }

    public func backlog(to destination: EventDestination) async throws(StoreError) -> (count: Int, oldest: Timestamp?) {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.backlog(to: destination, unmoved: unmoved)
        }
    }
}

extension EventDestination {
    /// `outbox.destination`.
    var stored: Int64 {
        switch self {
        case .broker: 0
        case .webhooks: 1
        }
    }
}

extension SQLiteConnection {
    func pendingEvents(
        of owner: InstanceID, to destination: EventDestination, limit: Int, except: Set<MessageID>,
        unmoved: UnmovedMessages
    ) throws(StoreError) -> [RoomLogEntry] {
        // Those on their way are among the oldest, so reading that many more is enough.
        let pending = try statement(Self.pending(to: destination))
            .bind(1, owner.value).bind(2, Int64(limit + except.count)).rows { row -> PendingEvent? in
                except.contains(row.messageID(0))
                    ? nil : PendingEvent(key: row.integer(1), room: RoomID(unchecked: row.text(2)))
            }
        var entries: [RoomLogEntry] = []
        for event in pending {
            guard entries.count < limit else { break }
            if let entry = try entry(of: event, unmoved) {
                entries.append(entry)
            } else if try !isPast(event, unmoved) {
                // It was committed just now, and is about to be readable. Later events must not overtake it.
                break
            } else if let entry = try entry(of: event, unmoved) {
                entries.append(entry)
            }
        }
        return entries
    }

    /// Webhooks have an index of their own, so that a broker that is away for long does not make their reads slow.
    private static func pending(to destination: EventDestination) -> StaticString {
        switch destination {
        case .broker:
            """
            SELECT o.id, o.message, r.id FROM outbox o JOIN rooms r ON r.key = o.message >> 32
            WHERE o.owner = ? AND o.destination = 0 ORDER BY o.position LIMIT ?
            """
        case .webhooks:
            """
            SELECT o.id, o.message, r.id FROM outbox o JOIN rooms r ON r.key = o.message >> 32
            WHERE o.owner = ? AND o.destination = 1 ORDER BY o.position LIMIT ?
            """
        }
    }

    func backlog(
        to destination: EventDestination, unmoved: UnmovedMessages
    ) throws(StoreError) -> (count: Int, oldest: Timestamp?) {
        let count =
            try statement("SELECT count(*) FROM outbox WHERE destination = ?").bind(1, destination.stored)
            .first { Int($0.integer(0)) } ?? 0
        let oldest = try statement(
            """
            SELECT o.message, r.id FROM outbox o JOIN rooms r ON r.key = o.message >> 32
            WHERE o.destination = ? ORDER BY o.position LIMIT 1
            """
        ).bind(1, destination.stored).first { PendingEvent(key: $0.integer(0), room: RoomID(unchecked: $0.text(1))) }
        guard let oldest else { return (count, nil) }
        return (count, try entry(of: oldest, unmoved)?.timestamp)
    }

    /// A place in a room's log.
    struct PendingEvent {
        var key: Int64
        var room: RoomID
    }

    /// Whether the room has a message with this number or a later one, so that one that is not found was removed.
    private func isPast(_ event: PendingEvent, _ unmoved: UnmovedMessages) throws(StoreError) -> Bool {
        let number = Schema.sequence(ofKey: event.key)
        if let newest = unmoved.newest(in: event.room), newest.sequence >= number { return true }
        return try statement("SELECT 1 FROM messages WHERE key BETWEEN ? AND ? LIMIT 1")
            .bind(1, event.key).bind(2, event.key | 0xFFFF_FFFF).first { _ in true } ?? false
    }

    func entry(of event: PendingEvent, _ unmoved: UnmovedMessages) throws(StoreError) -> RoomLogEntry? {
        if let message = try message(at: event.key, in: event.room, unmoved) { return .message(message) }
        guard let row = try change(at: event.key) else { return nil }
        return try message(at: row.message, in: event.room, unmoved).map { .change(row.change(of: $0)) }
    }

    /// A message in the journal or in the table. To be called outside of a transaction: what leaves the journal meanwhile must be
    /// seen in the table.
    func message(at key: Int64, in room: RoomID, _ unmoved: UnmovedMessages) throws(StoreError) -> Message? {
        if let message = unmoved.message(Schema.sequence(ofKey: key), in: room) { return message }
        return try message(at: key, in: room)
    }
}
