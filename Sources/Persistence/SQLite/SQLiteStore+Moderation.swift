public import ChatDomain

extension SQLiteStore {
    // MARK: Standings in rooms

    public func set(_ standing: RoomStanding, in room: RoomID) async throws(StoreError) -> RecordOutcome {
        try await write { session throws(StoreError) in try session.set(standing, in: room) }
    }

    public func clear(
        _ kind: RoomStanding.Kind, of user: UserID, in room: RoomID
    ) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in
            try session.changeLiveRoom(room) { room throws(StoreError) in
                try session.clear(kind, of: user, in: room)
            }
        }
    }

    public func standings(
        _ kind: RoomStanding.Kind, in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [RoomStanding] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                """
                SELECT s.kind, s.user, s.until, s.reason, s.author, s.since
                FROM rooms r JOIN standings s ON s.room = r.key AND s.kind = ? AND s.user > ?
                WHERE r.id = ? AND r.state = 1 ORDER BY s.user LIMIT ?
                """
            ).bind(1, kind.rawValue).bind(2, cursor?.value ?? "").bind(3, room.value).bind(4, Int64(max(0, limit)))
                .rows { $0.standing }
        }
    }

    public func standings(
        of user: UserID, after cursor: RoomID?, limit: Int
    ) async throws(StoreError) -> [UserStanding] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                """
                SELECT s.kind, s.user, s.until, s.reason, s.author, s.since, r.id
                FROM standings s JOIN rooms r ON r.key = s.room AND r.state = 1
                WHERE s.user = ? AND r.id > ? ORDER BY r.id, s.kind LIMIT ?
                """
            ).bind(1, user.value).bind(2, cursor?.value ?? "").bind(3, Int64(max(0, limit))).rows { row in
                row.standing.map { UserStanding(roomID: RoomID(unchecked: row.text(6)), standing: $0) }
            }.compactMap(\.self)
        }
    }

    // MARK: Blocks between users

    public func block(_ other: UserBlock, by user: UserID) async throws(StoreError) -> RecordOutcome {
        try await write { session throws(StoreError) in
            let connection = session.connection
            let isThere = try connection.statement("SELECT 1 FROM blocks WHERE user = ? AND blocked = ?")
                .bind(1, user.value).bind(2, other.user.value).first { _ in true }
            if isThere == true { return .recorded }
            let count = try connection.statement("SELECT count(*) FROM blocks WHERE user = ?").bind(1, user.value)
                .first { $0.integer(0) }
            guard count ?? 0 < UserBlock.limit else { return .full }
            try connection.statement("INSERT INTO blocks(user, blocked, since) VALUES(?, ?, ?)")
                .bind(1, user.value).bind(2, other.user.value).bind(3, other.since.milliseconds).run()
            return .recorded
        }
    }

    public func unblock(_ other: UserID, by user: UserID) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in
            try session.connection.statement("DELETE FROM blocks WHERE user = ? AND blocked = ?")
                .bind(1, user.value).bind(2, other.value).run()
            return session.connection.changes == 1
        }
    }

    public func blocks(by user: UserID, after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBlock] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                "SELECT blocked, since FROM blocks WHERE user = ? AND blocked > ? ORDER BY blocked LIMIT ?"
            ).bind(1, user.value).bind(2, cursor?.value ?? "").bind(3, Int64(max(0, limit))).rows { row in
                UserBlock(UserID(unchecked: row.text(0)), since: Timestamp(milliseconds: row.integer(1)))
            }
        }
    }

    public func blockers(of user: UserID, limit: Int) async throws(StoreError) -> Set<UserID> {
        try await read { connection throws(StoreError) in
            Set(
                try connection.statement("SELECT user FROM blocks WHERE blocked = ? LIMIT ?")
                    .bind(1, user.value).bind(2, Int64(max(0, limit))).rows { UserID(unchecked: $0.text(0)) })
        }
    }

    public func isBlocked(_ user: UserID, by other: UserID) async throws(StoreError) -> Bool {
        try await read { connection throws(StoreError) in
            try connection.statement("SELECT 1 FROM blocks WHERE user = ? AND blocked = ?")
                .bind(1, other.value).bind(2, user.value).first { _ in true } ?? false
        }
    }

    public func hasBlocks() async throws(StoreError) -> Bool {
        try await read { connection throws(StoreError) in
            try connection.statement("SELECT 1 FROM blocks LIMIT 1").first { _ in true } ?? false
        }
    }

    // MARK: Bans from the deployment

    public func ban(_ ban: UserBan) async throws(StoreError) -> RecordOutcome {
        try await write { session throws(StoreError) in try session.ban(ban) }
    }

    public func unban(_ user: UserID) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in
            try session.connection.statement("DELETE FROM user_bans WHERE user = ?").bind(1, user.value).run()
            return session.connection.changes == 1
        }
    }

    public func ban(of user: UserID) async throws(StoreError) -> UserBan? {
        try await read { connection throws(StoreError) in
            try connection.statement("SELECT user, until, reason, since FROM user_bans WHERE user = ?")
                .bind(1, user.value).first { $0.ban }
        }
    }

    public func bans(after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBan] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                "SELECT user, until, reason, since FROM user_bans WHERE user > ? ORDER BY user LIMIT ?"
            ).bind(1, cursor?.value ?? "").bind(2, Int64(max(0, limit))).rows { $0.ban }
        }
    }

    // MARK: Flags of messages

    public func flag(_ flag: MessageFlag, in room: RoomID) async throws(StoreError) -> RecordOutcome {
        try await write { session throws(StoreError) in try session.flag(flag, in: room) }
    }

    public func flags(
        in room: RoomID, after cursor: MessageFlag.Place?, limit: Int
    ) async throws(StoreError) -> [MessageFlag] {
        try await read { connection throws(StoreError) in
            let cursor = cursor ?? MessageFlag.Place(message: MessageID(high: 0, low: 0), user: UserID(unchecked: ""))
            return try connection.statement(
                """
                SELECT f.message, f.user, f.reason, f.since
                FROM rooms r JOIN flags f ON f.room = r.key AND (f.message, f.user) > (?, ?)
                WHERE r.id = ? AND r.state = 1 ORDER BY f.message, f.user LIMIT ?
                """
            ).bind(1, cursor.message).bind(2, cursor.user.value).bind(3, room.value).bind(4, Int64(max(0, limit)))
                .rows { $0.flag }
        }
    }

    public func settleFlags(of message: MessageID, in room: RoomID) async throws(StoreError) -> Int {
        try await write { session throws(StoreError) in
            guard let slot = try session.slot(of: room, makeKey: false) else { return 0 }
            try session.connection.statement("DELETE FROM flags WHERE room = ? AND message = ?")
                .bind(1, slot.key).bind(2, message).run()
            return session.connection.changes
        }
    }

    public func eraseModeration(of user: UserID) async throws(StoreError) {
        try await write { session throws(StoreError) in
            for sql: StaticString in [
                "DELETE FROM standings WHERE user = ?", "DELETE FROM blocks WHERE user = ?",
                "DELETE FROM blocks WHERE blocked = ?", "DELETE FROM flags WHERE user = ?",
                "UPDATE standings SET author = NULL WHERE author = ?",
                "DELETE FROM webhook_deliveries WHERE user = ?",
                "UPDATE audit SET actor = NULL WHERE actor = ?", "UPDATE audit SET user = NULL WHERE user = ?",
            ] {
                try session.connection.statement(sql).bind(1, user.value).run()
            }
        }
    }
}

extension WriteSession {
    fileprivate func set(_ standing: RoomStanding, in id: RoomID) throws(StoreError) -> RecordOutcome {
        guard var room = try slot(of: id, makeKey: false), room.state == Schema.RoomState.live else { return .noRoom }
        let (user, kind) = (standing.user.value, standing.kind.rawValue)
        try connection.statement("DELETE FROM standings WHERE room = ? AND until <= ?")
            .bind(1, room.key).bind(2, standing.since.milliseconds).run()
        let others = try connection.statement(
            "SELECT count(*) FROM standings WHERE room = ? AND kind = ? AND user <> ?"
        ).bind(1, room.key).bind(2, kind).bind(3, user).first { $0.integer(0) }
        guard others ?? 0 < standing.kind.limit else { return .full }
        try connection.statement(
            """
            INSERT INTO standings(room, kind, user, until, reason, author, since) VALUES(?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason, author = excluded.author,
                since = excluded.since
            """
        ).bind(1, room.key).bind(2, kind).bind(3, user).bind(4, standing.until?.milliseconds)
            .bind(5, standing.reason).bind(6, standing.author?.value).bind(7, standing.since.milliseconds).run()
        if standing.kind == .ban {
            _ = try clear(.moderator, of: standing.user, in: room)
            _ = try removeParticipant(standing.user, from: &room)
            rooms.update(room, of: id)
        }
        return .recorded
    }

    fileprivate func clear(
        _ kind: RoomStanding.Kind, of user: UserID, in room: RoomSlot
    ) throws(StoreError) -> Bool {
        try connection.statement("DELETE FROM standings WHERE room = ? AND kind = ? AND user = ?")
            .bind(1, room.key).bind(2, kind.rawValue).bind(3, user.value).run()
        return connection.changes == 1
    }

    fileprivate func ban(_ ban: UserBan) throws(StoreError) -> RecordOutcome {
        try connection.statement("DELETE FROM user_bans WHERE until <= ?").bind(1, ban.since.milliseconds).run()
        let others = try connection.statement("SELECT count(*) FROM user_bans WHERE user <> ?")
            .bind(1, ban.user.value).first { $0.integer(0) }
        guard others ?? 0 < UserBan.limit else { return .full }
        try connection.statement(
            """
            INSERT INTO user_bans(user, until, reason, since) VALUES(?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason, since = excluded.since
            """
        ).bind(1, ban.user.value).bind(2, ban.until?.milliseconds).bind(3, ban.reason)
            .bind(4, ban.since.milliseconds).run()
        return .recorded
    }

    fileprivate func flag(_ flag: MessageFlag, in id: RoomID) throws(StoreError) -> RecordOutcome {
        guard let room = try slot(of: id, makeKey: false), room.state == Schema.RoomState.live else { return .noRoom }
        try connection.statement("UPDATE flags SET reason = ? WHERE room = ? AND message = ? AND user = ?")
            .bind(1, flag.reason).bind(2, room.key).bind(3, flag.message).bind(4, flag.user.value).run()
        if connection.changes == 1 { return .recorded }
        let counts =
            try connection.statement(
                """
                SELECT (SELECT count(*) FROM flags WHERE room = ?1 AND message = ?2),
                    (SELECT count(*) FROM flags WHERE room = ?1)
                """
            ).bind(1, room.key).bind(2, flag.message).first { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
        guard counts.0 < MessageFlag.limit, counts.1 < MessageFlag.roomLimit else { return .full }
        try connection.statement("INSERT INTO flags(room, message, user, reason, since) VALUES(?, ?, ?, ?, ?)")
            .bind(1, room.key).bind(2, flag.message).bind(3, flag.user.value).bind(4, flag.reason)
            .bind(5, flag.since.milliseconds).run()
        return .recorded
    }

    /// Removes what a deleted room has on record about users.
    func deleteModeration(of room: RoomSlot) throws(StoreError) {
        try connection.statement("DELETE FROM standings WHERE room = ?").bind(1, room.key).run()
        try connection.statement("DELETE FROM flags WHERE room = ?").bind(1, room.key).run()
    }
}

extension SQLiteConnection {
    /// What a room has on record about users: standings of a group, blocks between the two of a direct room.
    func authority(of room: Room, key: Int64) throws(StoreError) -> RoomAuthority {
        guard let (a, b) = DirectRoom.participants(of: room.id) else {
            return RoomAuthority(
                try statement("SELECT kind, user, until, reason, author, since FROM standings WHERE room = ?")
                    .bind(1, key).rows { $0.standing })
        }
        let blocked = try statement(
            "SELECT blocked FROM blocks WHERE (user, blocked) IN (VALUES(?1, ?2), (?2, ?1))"
        ).bind(1, a.value).bind(2, b.value).rows { UserID(unchecked: $0.text(0)) }
        return RoomAuthority([], blocked: Set(blocked))
    }
}

extension SQLiteStore {
    public func flags(
        by user: UserID, after cursor: MessageID?, limit: Int
    ) async throws(StoreError) -> [UserFlag] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                """
                SELECT f.message, f.user, f.reason, f.since, r.id FROM flags f JOIN rooms r ON r.key = f.room
                WHERE f.user = ? AND f.message > ? ORDER BY f.message LIMIT ?
                """
            ).bind(1, user.value).bind(2, cursor ?? MessageID(high: 0, low: 0)).bind(3, Int64(max(0, limit)))
                .rows { row in UserFlag(roomID: RoomID(unchecked: row.text(4)), flag: row.flag) }
        }
    }
}

extension Row {
    /// Columns 0…5: kind, user, until, reason, author, since.
    fileprivate var standing: RoomStanding? {
        guard let kind = RoomStanding.Kind(rawValue: text(0)) else { return nil }
        return RoomStanding(
            kind, of: UserID(unchecked: text(1)), until: optionalTime(2), reason: optionalText(3),
            by: optionalText(4).map { UserID(unchecked: $0) }, since: Timestamp(milliseconds: integer(5)))
    }

    /// Columns 0…3: user, until, reason, since.
    fileprivate var ban: UserBan {
        UserBan(
            UserID(unchecked: text(0)), until: optionalTime(1), reason: optionalText(2),
            since: Timestamp(milliseconds: integer(3)))
    }

    /// Columns 0…3: message, user, reason, since.
    fileprivate var flag: MessageFlag {
        MessageFlag(
            messageID(0), by: UserID(unchecked: text(1)), reason: optionalText(2),
            since: Timestamp(milliseconds: integer(3)))
    }

    private func optionalTime(_ column: Int32) -> Timestamp? {
        optionalInteger(column).map { Timestamp(milliseconds: $0) }
    }
}
