public import ChatDomain

extension SQLiteStore {
    public func create(
        _ room: Room, participants: [UserID]
    ) async throws(StoreError) -> (snapshot: RoomSnapshot, created: Bool) {
        try await write { session throws(StoreError) in try session.create(room, participants: participants) }
    }

    public func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in
            try session.connection.statement(
                """
                UPDATE rooms SET name = CASE ? WHEN 1 THEN ? ELSE name END, private = coalesce(?, private),
                    updated_at = ?, read_only = coalesce(?, read_only), slow_mode = coalesce(?, slow_mode),
                    owner = coalesce(?, owner), retention_days = CASE ? WHEN 1 THEN ? ELSE retention_days END
                WHERE id = ? AND state = 1
                """
            ).bind(1, revision.name == nil ? 0 : 1).bind(2, revision.name ?? nil)
                .bind(3, revision.isPrivate.map { $0 ? 1 : 0 }).bind(4, time.milliseconds)
                .bind(5, revision.isReadOnly.map { $0 ? 1 : 0 }).bind(6, revision.slowModeSeconds.map { Int64($0) })
                .bind(7, revision.owner?.value).bind(8, revision.retentionDays == nil ? 0 : 1)
                .bind(9, (revision.retentionDays ?? nil).map { Int64($0) }).bind(10, id.value).run()
            return session.connection.changes == 1
        }
    }

    public func delete(_ id: RoomID, at time: Timestamp) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in try session.delete(id, at: time) }
    }

    public func add(_ user: UserID, to id: RoomID, limit: Int) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in
            try session.changeLiveRoom(id) { room throws(StoreError) in
                if try session.isParticipant(user, of: room) { return true }
                guard try session.countParticipants(of: &room) < limit else { return false }
                try session.insertParticipant(user, into: &room)
                return true
            }
        }
    }

    public func remove(_ user: UserID, from id: RoomID) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in
            try session.changeLiveRoom(id) { room throws(StoreError) in
                try session.removeParticipant(user, from: &room)
            }
        }
    }
}

extension WriteSession {
    /// The room's slot, from memory or from the database.
    ///
    /// - Parameter makeKey: whether an unknown room gets a key; that alone does not create the room.
    func slot(of id: RoomID, makeKey: Bool) throws(StoreError) -> RoomSlot? {
        if let known = rooms[id] { return known }
        let stored = try connection.statement(
            """
            SELECT key, state, (
                SELECT max(m.key) FROM messages m WHERE m.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295),
                history_base, (
                SELECT max(c.key) FROM changes c WHERE c.key BETWEEN r.key << 32 AND r.key << 32 | 4294967295)
            FROM rooms r WHERE id = ?
            """
        ).bind(1, id.value).first { row in
            RoomSlot(
                key: row.integer(0), state: row.integer(1),
                lastSequence: Schema.sequence(ofKey: max(row.integer(2), row.integer(4))),
                historyBase: row.integer(3), hasChanges: !row.isNull(4))
        }
        if var stored {
            stored.lastSequence = max(stored.lastSequence, journal.newest(in: stored.key) ?? 0)
            rooms.update(stored, of: id)
            return stored
        }
        guard makeKey else { return nil }
        let unmade = Room(id: id, kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0))
        return try insert(unmade, state: Schema.RoomState.unmade)
    }

    func create(
        _ room: Room, participants: [UserID]
    ) throws(StoreError) -> (snapshot: RoomSnapshot, created: Bool) {
        if let there = try snapshot(of: room.id) { return (there, false) }
        var slot = try makeLive(room)
        for user in participants { try insertParticipant(user, into: &slot) }
        rooms.update(slot, of: room.id)
        guard let snapshot = try snapshot(of: room.id) else {
            throw .unavailable(reason: "a room just made is not there")
        }
        return (snapshot, true)
    }

    private func snapshot(of id: RoomID) throws(StoreError) -> RoomSnapshot? {
        guard let slot = try slot(of: id, makeKey: false) else { return nil }
        return try connection.room(id, unmoved: journal.newest(in: slot.key) ?? 0)
    }

    func delete(_ id: RoomID, at time: Timestamp) throws(StoreError) -> Bool {
        try changeLiveRoom(id) { room throws(StoreError) in
            try connection.statement("UPDATE rooms SET state = 2, updated_at = ? WHERE key = ?")
                .bind(1, time.milliseconds).bind(2, room.key).run()
            try connection.statement("DELETE FROM participants WHERE room = ?").bind(1, room.key).run()
            try connection.statement("DELETE FROM read_marks WHERE room = ?").bind(1, room.key).run()
            try deleteModeration(of: room)
            room.state = Schema.RoomState.deleted
            room.participants = 0
            return true
        }
    }

    /// - Returns: what `change` returns; false where the room does not exist or was deleted.
    func changeLiveRoom(
        _ id: RoomID, _ change: (inout RoomSlot) throws(StoreError) -> Bool
    ) throws(StoreError) -> Bool {
        guard var slot = try slot(of: id, makeKey: false), slot.state == Schema.RoomState.live else { return false }
        let result = try change(&slot)
        rooms.update(slot, of: id)
        return result
    }

    /// Records a joiner, unless the room holds as many as it may; whether the room has the user as a participant.
    func recordParticipant(_ user: UserID, in room: inout RoomSlot) throws(StoreError) -> Bool {
        guard try countParticipants(of: &room) < options.maximumParticipants else {
            return try isParticipant(user, of: room)
        }
        try insertParticipant(user, into: &room)
        return true
    }

    /// False for a user that is no participant.
    func removeParticipant(_ user: UserID, from room: inout RoomSlot) throws(StoreError) -> Bool {
        try connection.statement("DELETE FROM participants WHERE room = ? AND user = ?")
            .bind(1, room.key).bind(2, user.value).run()
        guard connection.changes == 1 else { return false }
        room.participants = room.participants.map { $0 - 1 }
        return true
    }

    fileprivate func insertParticipant(_ user: UserID, into room: inout RoomSlot) throws(StoreError) {
        try connection.statement("INSERT INTO participants(room, user) VALUES(?, ?) ON CONFLICT DO NOTHING")
            .bind(1, room.key).bind(2, user.value).run()
        room.participants = room.participants.map { $0 + connection.changes }
    }

    fileprivate func isParticipant(_ user: UserID, of room: RoomSlot) throws(StoreError) -> Bool {
        try connection.statement("SELECT 1 FROM participants WHERE room = ? AND user = ?")
            .bind(1, room.key).bind(2, user.value).first { _ in true } ?? false
    }

    fileprivate func countParticipants(of room: inout RoomSlot) throws(StoreError) -> Int {
        if let known = room.participants { return known }
        let count =
            try connection.statement("SELECT count(*) FROM participants WHERE room = ?")
            .bind(1, room.key).first { Int($0.integer(0)) } ?? 0
        room.participants = count
        return count
    }

    /// Makes the room's row live, the first time or again; a deleted room's messages stay below the new base.
    private func makeLive(_ room: Room) throws(StoreError) -> RoomSlot {
        guard var slot = try slot(of: room.id, makeKey: false) else {
            return try insert(room, state: Schema.RoomState.live)
        }
        var base: SequenceNumber = 0
        if slot.state == Schema.RoomState.deleted {
            base = slot.lastSequence
            // Client ids below the base are freed in the table of messages.
            try copyToMessages(of: slot.key)
        }
        try connection.statement(
            """
            UPDATE rooms SET state = 1, kind = ?, private = ?, name = ?, owner = ?, created_at = ?, updated_at = ?,
                read_only = ?, slow_mode = ?, retention_days = ?, history_base = ? WHERE key = ?
            """
        ).bind(1, room.kind.rawValue).bind(2, room.isPrivate ? 1 : 0).bind(3, room.name).bind(4, room.owner?.value)
            .bind(5, room.createdAt.milliseconds).bind(6, room.updatedAt.milliseconds)
            .bind(7, room.isReadOnly ? 1 : 0).bind(8, Int64(room.slowModeSeconds))
            .bind(9, room.retentionDays.map { Int64($0) }).bind(10, base).bind(11, slot.key).run()
        slot.state = Schema.RoomState.live
        slot.historyBase = base
        return slot
    }

    private func insert(_ room: Room, state: Int64) throws(StoreError) -> RoomSlot {
        try connection.statement(
            """
            INSERT INTO rooms(
                state, id, kind, private, name, owner, created_at, updated_at, history_base, read_only, slow_mode,
                retention_days)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)
            """
        ).bind(1, state).bind(2, room.id.value).bind(3, room.kind.rawValue).bind(4, room.isPrivate ? 1 : 0)
            .bind(5, room.name).bind(6, room.owner?.value).bind(7, room.createdAt.milliseconds)
            .bind(8, room.updatedAt.milliseconds).bind(9, room.isReadOnly ? 1 : 0)
            .bind(10, Int64(room.slowModeSeconds)).bind(11, room.retentionDays.map { Int64($0) }).run()
        let slot = RoomSlot(
            key: connection.lastInsertedKey, state: state, lastSequence: 0, historyBase: 0, participants: 0)
        rooms.update(slot, of: room.id)
        return slot
    }
}
