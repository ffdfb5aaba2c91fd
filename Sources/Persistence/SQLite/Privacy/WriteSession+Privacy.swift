import ChatDomain

/// The statements that erase. They run in the writer's transaction, and each call changes a bounded number of rows. The rows are
/// in no journal any more.
extension WriteSession {
    // MARK: Users

    /// - Returns: rooms that the user took part in or owned.
    func eraseRecords(of erased: ErasedUser) throws(StoreError) -> [RoomID] {
        let user = erased.user.value
        let known = try connection.statement(
            "SELECT id FROM rooms WHERE owner = ?1 OR key IN (SELECT room FROM participants WHERE user = ?1)"
        ).bind(1, user).rows { RoomID(unchecked: $0.text(0)) }
        try connection.statement("DELETE FROM users WHERE id = ?").bind(1, user).run()
        try connection.statement("DELETE FROM friends WHERE user = ?1 OR friend = ?1").bind(1, user).run()
        try connection.statement("DELETE FROM participants WHERE user = ?").bind(1, user).run()
        try connection.statement("DELETE FROM read_marks WHERE user = ?").bind(1, user).run()
        try connection.statement("UPDATE rooms SET owner = NULL WHERE owner = ?").bind(1, user).run()
        try noteErasure()
        rooms.forget()
        return known
    }

    /// Gives a direct room its neutral id, under which its other user keeps it. Where there is such a room already, the one with the
    /// old id was made after the first was moved: it is deleted, and keeps no id that names a user.
    func moveDirectRoom(_ room: RoomID, to new: RoomID, of erased: ErasedUser) throws(StoreError) {
        guard let slot = try slot(of: room, makeKey: false) else { return }
        if try self.slot(of: new, makeKey: false) != nil {
            try connection.statement(
                "UPDATE rooms SET id = 'erased:' || lower(hex(randomblob(16))), state = 2, name = NULL WHERE key = ?"
            ).bind(1, slot.key).run()
            try connection.statement("DELETE FROM participants WHERE room = ?").bind(1, slot.key).run()
            try connection.statement("DELETE FROM read_marks WHERE room = ?").bind(1, slot.key).run()
        } else {
            try connection.statement("UPDATE rooms SET id = ? WHERE key = ?").bind(1, new.value).bind(2, slot.key).run()
            if slot.state == Schema.RoomState.live {
                try connection.statement("INSERT INTO participants(room, user) VALUES(?, ?) ON CONFLICT DO NOTHING")
                    .bind(1, slot.key).bind(2, erased.pseudonym.value).run()
            }
        }
        rooms.forget()
    }

    /// - Returns: the rooms of these rows, and how many messages lost their text or author.
    func erase(_ matches: [MessageScan.Match], of erased: ErasedUser) throws(StoreError) -> ErasureSlice {
        var keys: [Int64] = []
        var count = 0
        for match in matches {
            switch match {
            case .written(let key):
                count += 1
                keys.append(key)
                switch erased.messages {
                case .erase: try makeStone(of: key, author: erased.pseudonym, username: ErasedUser.username)
                case .anonymize: try anonymize(key, erased)
                }
            case .mentioning(let key):
                keys.append(key)
                try neutralizeMentions(in: key, erased)
            case .reactedTo(let key):
                keys.append(key)
                try neutralizeReactions(to: key, erased)
            case .change(let key):
                keys.append(key)
                try neutralizeChange(key, erased)
            }
        }
        return ErasureSlice(rooms: try roomIDs(of: keys), messages: count, others: keys.count - count, next: nil)
    }

    private func anonymize(_ key: Int64, _ erased: ErasedUser) throws(StoreError) {
        guard let old = try indexed(key) else { return }
        try rewriteMentions(in: key, erased)
        try connection.statement(
            "UPDATE messages SET author = ?2, username = ?3, client_id = NULL, metadata = NULL WHERE key = ?1"
        ).bind(1, key).bind(2, erased.pseudonym.value).bind(3, ErasedUser.username).run()
        try reindex(key, from: old)
    }

    private func neutralizeMentions(in key: Int64, _ erased: ErasedUser) throws(StoreError) {
        guard let old = try indexed(key) else { return }
        try rewriteMentions(in: key, erased)
        try reindex(key, from: old)
    }

    private func rewriteMentions(in key: Int64, _ erased: ErasedUser) throws(StoreError) {
        let mentions =
            try connection.statement("SELECT mentions FROM messages WHERE key = ?").bind(1, key)
            .first { $0.users(0) } ?? []
        let neutral = mentions.map { $0 == erased.user ? erased.pseudonym : $0 }
        try connection.statement("UPDATE messages SET text = replace(text, ?2, ?3), mentions = ?4 WHERE key = ?1")
            .bind(1, key).bind(2, erased.mention).bind(3, erased.neutralMention)
            .bind(4, StoredList.text(of: neutral)).run()
    }

    /// The reactions stay and count, under the neutral user.
    private func neutralizeReactions(to key: Int64, _ erased: ErasedUser) throws(StoreError) {
        try connection.statement("UPDATE reactions SET user = ?3 WHERE message = ?1 AND user = ?2")
            .bind(1, key).bind(2, erased.user.value).bind(3, erased.pseudonym.value).run()
        let listed =
            try connection.statement("SELECT reactions FROM message_states WHERE key = ?").bind(1, key)
            .first { StoredList.reactions($0.optionalText(0)) } ?? []
        let neutral = listed.map { reaction in
            var reaction = reaction
            reaction.users = reaction.users.map { $0 == erased.user ? erased.pseudonym : $0 }
            return reaction
        }
        try connection.statement("UPDATE message_states SET reactions = ? WHERE key = ?")
            .bind(1, StoredList.text(of: neutral)).bind(2, key).run()
    }

    private func neutralizeChange(_ key: Int64, _ erased: ErasedUser) throws(StoreError) {
        try connection.statement(
            """
            UPDATE changes SET username = CASE user WHEN ?2 THEN ?4 ELSE username END,
                client_id = CASE user WHEN ?2 THEN NULL ELSE client_id END,
                user = CASE user WHEN ?2 THEN ?3 ELSE user END,
                successor = CASE successor WHEN ?2 THEN ?3 ELSE successor END
            WHERE key = ?1
            """
        ).bind(1, key).bind(2, erased.user.value).bind(3, erased.pseudonym.value).bind(4, ErasedUser.username).run()
    }

    // MARK: The search index

    /// The parts of a message by which the search finds it.
    private struct Indexed {
        var author: UserID
        var text: String
    }

    private func indexed(_ key: Int64) throws(StoreError) -> Indexed? {
        try connection.statement("SELECT author, text FROM messages WHERE key = ?").bind(1, key)
            .first { Indexed(author: UserID(unchecked: $0.text(0)), text: $0.text(1)) }
    }

    /// Has the search find a message by what it says now.
    private func reindex(_ key: Int64, from old: Indexed) throws(StoreError) {
        guard let new = try indexed(key) else { return }
        try reindex(key, author: old.author, from: old.text, to: new.text, newAuthor: new.author)
    }

    // MARK: Messages

    /// Leaves the id, the number, the time and the author of a message, or a neutral author. Its events are not published any more.
    ///
    /// - Parameter author: nil to leave the author as it is.
    private func makeStone(of key: Int64, author: UserID? = nil, username: String? = nil) throws(StoreError) {
        try removeEvents(ofMessage: key)
        if let id = try connection.statement("SELECT id FROM messages WHERE key = ?").bind(1, key)
            .first({ $0.messageID(0) })
        {
            try dropReasons(ofFlagsOf: id, room: key >> Schema.sequenceBits)
        }
        if let old = try indexed(key) { try reindex(key, author: old.author, from: old.text, to: nil) }
        try connection.statement(
            """
            UPDATE messages SET text = '', metadata = NULL, mentions = NULL, author = coalesce(?2, author),
                username = coalesce(?3, username), client_id = CASE WHEN ?2 IS NULL THEN client_id END
            WHERE key = ?1
            """
        ).bind(1, key).bind(2, author?.value).bind(3, username).run()
        try connection.statement("DELETE FROM reactions WHERE message = ?").bind(1, key).run()
        try connection.statement(
            """
            INSERT INTO message_states(key, last_change, deleted, pinned, reply_count, last_reply)
            SELECT key, NULL, 1, 0, 0, 0 FROM messages WHERE key = ?
            ON CONFLICT DO UPDATE SET deleted = 1, pinned = 0, edited_at = NULL, reactions = NULL
            """
        ).bind(1, key).run()
    }

    private func removeEvents(ofMessage key: Int64) throws(StoreError) {
        try connection.statement("DELETE FROM outbox WHERE id = (SELECT id FROM messages WHERE key = ?)")
            .bind(1, key).run()
        try connection.statement("DELETE FROM outbox WHERE id IN (SELECT id FROM changes WHERE message = ?)")
            .bind(1, key).run()
    }

    /// - Parameter keys: in ascending order, without holes within each room.
    /// - Returns: their rooms and metadata.
    func expire(_ keys: [Int64]) throws(StoreError) -> ErasureSlice {
        var slice = ErasureSlice(rooms: try roomIDs(of: keys), messages: keys.count, next: nil)
        for key in keys {
            if let metadata = try metadata(of: key) { slice.metadata.append(metadata) }
            try makeStone(of: key)
            try connection.statement(
                "INSERT INTO expiry(room, sequence) VALUES(?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence"
            ).bind(1, key >> Schema.sequenceBits).bind(2, Schema.sequence(ofKey: key)).run()
        }
        return slice
    }

    private func metadata(of key: Int64) throws(StoreError) -> ErasedMetadata? {
        try connection.statement(
            """
            SELECT r.id, m.author, m.metadata FROM messages m JOIN rooms r ON r.key = m.room
            WHERE m.key = ? AND m.metadata IS NOT NULL
            """
        ).bind(1, key).first { row in
            ErasedMetadata(
                room: RoomID(unchecked: row.text(0)), author: UserID(unchecked: row.text(1)), text: row.text(2))
        }
    }

    // MARK: Rooms

    /// Rows of a room that one call removes.
    private static let removedAtOnce: Int64 = 64

    /// Removes the oldest rows of a room. The newest stays without content, so that the numbering goes on.
    func eraseMessages(of id: RoomID) throws(StoreError) -> ErasureSlice {
        guard let room = try slot(of: id, makeKey: false) else { return ErasureSlice(next: nil) }
        // A room that was made anew meanwhile keeps its own messages.
        let last =
            room.state == Schema.RoomState.live
            ? min(max(room.historyBase, 0), Schema.maximumSequence) : Schema.maximumSequence
        let first = Schema.messageKey(room: room.key, 0)
        let newest =
            try connection.statement(
                """
                SELECT max(key) FROM (
                    SELECT max(key) AS key FROM messages WHERE key BETWEEN ?1 AND ?2
                    UNION ALL SELECT max(key) FROM changes WHERE key BETWEEN ?1 AND ?2)
                """
            ).bind(1, first).bind(2, Schema.messageKey(room: room.key, last)).first { $0.optionalInteger(0) } ?? nil
        guard let newest else { return try finishErasing(id, room) }
        let removed = try removeMessages(from: first, before: newest)
        if removed > 0 { return ErasureSlice(rooms: [id], messages: removed, next: String(newest)) }
        if try removeChanges(from: first, before: newest) > 0 { return ErasureSlice(rooms: [id], next: String(newest)) }
        try makeStone(of: newest, author: UserID(unchecked: ""), username: "")
        try connection.statement(
            """
            UPDATE changes SET user = '', username = '', client_id = NULL, emoji = NULL, successor = NULL WHERE key = ?
            """
        ).bind(1, newest).run()
        return try finishErasing(id, room)
    }

    private func removeMessages(from first: Int64, before end: Int64) throws(StoreError) -> Int {
        let found = try connection.statement("SELECT key FROM messages WHERE key >= ? AND key < ? ORDER BY key LIMIT ?")
            .bind(1, first).bind(2, end).bind(3, Self.removedAtOnce).rows { $0.integer(0) }
        for key in found {
            try removeEvents(ofMessage: key)
            if let old = try indexed(key) { try reindex(key, author: old.author, from: old.text, to: nil) }
            try connection.statement("DELETE FROM reactions WHERE message = ?").bind(1, key).run()
            try connection.statement("DELETE FROM message_states WHERE key = ?").bind(1, key).run()
            try connection.statement("DELETE FROM message_ids WHERE id = (SELECT id FROM messages WHERE key = ?)")
                .bind(1, key).run()
            try connection.statement("DELETE FROM messages WHERE key = ?").bind(1, key).run()
        }
        return found.count
    }

    private func removeChanges(from first: Int64, before end: Int64) throws(StoreError) -> Int {
        let found = try connection.statement("SELECT key FROM changes WHERE key >= ? AND key < ? ORDER BY key LIMIT ?")
            .bind(1, first).bind(2, end).bind(3, Self.removedAtOnce).rows { $0.integer(0) }
        for key in found {
            try connection.statement("DELETE FROM outbox WHERE id = (SELECT id FROM changes WHERE key = ?)")
                .bind(1, key).run()
            try connection.statement("DELETE FROM changes WHERE key = ?").bind(1, key).run()
        }
        return found.count
    }

    private func finishErasing(_ id: RoomID, _ room: RoomSlot) throws(StoreError) -> ErasureSlice {
        if room.state == Schema.RoomState.deleted {
            try connection.statement("UPDATE rooms SET name = NULL, owner = NULL WHERE key = ?").bind(1, room.key).run()
        }
        return ErasureSlice(rooms: [id], next: nil)
    }

    private func roomIDs(of keys: [Int64]) throws(StoreError) -> [RoomID] {
        var ids: [RoomID] = []
        for room in Set(keys.map { $0 >> Schema.sequenceBits }).sorted() {
            let id = try connection.statement("SELECT id FROM rooms WHERE key = ?").bind(1, room)
                .first { RoomID(unchecked: $0.text(0)) }
            if let id { ids.append(id) }
        }
        return ids
    }
}
