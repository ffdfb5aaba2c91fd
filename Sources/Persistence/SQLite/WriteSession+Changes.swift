import ChatDomain

/// Changes of messages. Each is evaluated against the message as the transaction under way has it.
extension WriteSession {
    func append(
        _ draft: ChangeDraft, to room: inout RoomSlot, _ roomID: RoomID
    ) throws(StoreError) -> RoomWriteOutcome.Draft {
        guard room.lastSequence < Schema.maximumSequence else {
            return .failed(.rejected(reason: "the room's numbers are used up"))
        }
        do throws(StoreError) {
            if let earlier = try outcome(of: draft, underItsClientIDIn: room, roomID) { return earlier }
            guard let message = try message(draft.messageID, in: room, roomID) else {
                return .refused(.messageUnavailable)
            }
            switch draft.evaluate(on: message, facts: try facts(of: draft, on: message, room.key)) {
            case .refused(let error): return .refused(error)
            case .unchanged(let count): return .unchanged(count: count)
            case .change(let kind):
                let change = MessageChange(draft, kind, of: message, sequence: room.lastSequence + 1)
                try atomically { () throws(StoreError) in try store(change, of: message, room: room.key) }
                room.lastSequence = change.sequence
                room.hasChanges = true
                return .changed(change)
            }
        } catch .rejected(let reason) {
            return .failed(.rejected(reason: reason))
        }
    }

    // MARK: Repeats

    /// What the client id of a change was used for before; nil where it is free.
    private func outcome(
        of draft: ChangeDraft, underItsClientIDIn room: RoomSlot, _ roomID: RoomID
    ) throws(StoreError) -> RoomWriteOutcome.Draft? {
        guard let clientID = draft.clientMessageID else { return nil }
        if let sent = try message(sentAs: clientID, by: draft.user.userID, room: room.key),
            sent.sequence > room.historyBase
        {
            return .conflict
        }
        guard let earlier = try change(madeAs: clientID, by: draft.user.userID, in: room, roomID) else { return nil }
        let message = try message(earlier.messageID, in: room, roomID)
        return draft.isRepeat(of: earlier, to: message) ? .repeated(earlier) : .conflict
    }

    /// The change that the user made in the present life of the room under this client id.
    func change(
        madeAs clientID: String, by user: UserID, in room: RoomSlot, _ roomID: RoomID
    ) throws(StoreError) -> MessageChange? {
        guard room.hasChanges else { return nil }
        let key = try connection.statement(
            "SELECT key FROM changes WHERE key >> 32 = ? AND user = ? AND client_id = ?"
        ).bind(1, room.key).bind(2, user.value).bind(3, clientID).first { $0.integer(0) }
        guard let key else { return nil }
        guard Schema.sequence(ofKey: key) > room.historyBase else {
            // It was used in an earlier room of this id, and here it is free.
            try connection.statement("UPDATE changes SET client_id = NULL WHERE key = ?").bind(1, key).run()
            return nil
        }
        return try change(at: key, roomID)
    }

    func change(at key: Int64, _ roomID: RoomID) throws(StoreError) -> MessageChange? {
        guard let row = try connection.change(at: key), let message = try message(at: row.message, roomID) else {
            return nil
        }
        return row.change(of: message)
    }

    // MARK: The message

    /// The room's message of this id, with the changes of the transaction under way.
    func message(_ id: MessageID, in room: RoomSlot, _ roomID: RoomID) throws(StoreError) -> Message? {
        let base = Schema.messageKey(room: room.key, room.historyBase)
        let moved = try connection.statement("SELECT key FROM message_ids WHERE id = ?").bind(1, id)
            .first { $0.integer(0) }
        if let moved {
            let isReachable = moved > base && moved >> Schema.sequenceBits == room.key
            return isReachable ? try message(at: moved, roomID) : nil
        }
        guard let sequence = journal.sequence(of: id) ?? unmoved.message(id, in: roomID)?.sequence else { return nil }
        let key = Schema.messageKey(room: room.key, sequence)
        return key > base ? try message(at: key, roomID) : nil
    }

    func message(at key: Int64, _ roomID: RoomID) throws(StoreError) -> Message? {
        let stored = try connection.statement(
            """
            SELECT * FROM current_messages WHERE key = ?
            """
        ).bind(1, key).first { $0.message(in: roomID) }
        if let stored { return stored }
        return try journalMessage(Schema.sequence(ofKey: key), room: key >> Schema.sequenceBits, roomID)
    }

    private func journalMessage(
        _ sequence: SequenceNumber, room: Int64, _ roomID: RoomID
    ) throws(StoreError) -> Message? {
        guard let position = journal.position(of: sequence, in: room) else { return nil }
        return try connection.statement(
            """
            SELECT j.key, j.id, j.author, j.username, j.text, j.kind, j.timestamp, j.client_id, j.metadata, j.reply_to,
                j.mentions, s.last_change, s.edited_at, s.deleted, s.pinned, s.reactions, s.reply_count, s.last_reply
            FROM journal j LEFT JOIN message_states s ON s.key = j.key WHERE j.position = ?
            """
        ).bind(1, position).first { $0.message(in: roomID) }
    }

    private func facts(
        of draft: ChangeDraft, on message: Message, _ room: Int64
    ) throws(StoreError) -> ChangeDraft.ReactionFacts {
        guard case .react(let emoji, let isRemoved) = draft.request else { return .init() }
        let key = Schema.messageKey(room: room, message.sequence)
        let hasReacted =
            try connection.statement("SELECT 1 FROM reactions WHERE message = ? AND emoji = ? AND user = ?")
            .bind(1, key).bind(2, emoji.value).bind(3, draft.user.userID.value).first { _ in true } ?? false
        guard isRemoved, hasReacted else { return .init(hasReacted: hasReacted) }
        let next = try connection.statement(
            "SELECT user FROM reactions WHERE message = ? AND emoji = ? ORDER BY position LIMIT 1 OFFSET ?"
        ).bind(1, key).bind(2, emoji.value).bind(3, Int64(Reaction.listedUsers)).first { UserID(unchecked: $0.text(0)) }
        return .init(hasReacted: true, firstUnlisted: next)
    }

    // MARK: Storing

    private func store(_ change: MessageChange, of message: Message, room: Int64) throws(StoreError) {
        var changed = message
        changed.apply(change)
        let key = Schema.messageKey(room: room, message.sequence)
        try insert(change, message: key, room: room)
        switch change.kind {
        case .edited:
            try rewrite(changed, at: key)
            try reindex(key, author: message.body.author, from: message.body.text, to: changed.body.text)
        case .deleted:
            try rewrite(changed, at: key)
            try reindex(key, author: message.body.author, from: message.body.text, to: nil)
            try connection.statement("DELETE FROM reactions WHERE message = ?").bind(1, key).run()
            try dropEvents(of: changed, at: key)
            try dropReasons(ofFlagsOf: message.id, room: room)
            try noteErasure()
        case .reaction(let reaction): try write(reaction, by: change, to: key)
        case .pinned: break
        }
        try write(changed.state ?? MessageState(), of: key)
        journal.note(changed, room: room)
        guard options.owesEvents else { return }
        try owe(
            change.id, at: Schema.messageKey(room: room, change.sequence), to: options.eventOwners(of: change.kind))
    }

    /// Counts a message that answers another one.
    func noteReply(_ reply: SequenceNumber, to message: Message, room: Int64) throws(StoreError) {
        var answered = message
        answered.noteReply(reply)
        try write(answered.state ?? MessageState(), of: Schema.messageKey(room: room, message.sequence))
        journal.note(answered, room: room)
    }

    private func insert(_ change: MessageChange, message: Int64, room: Int64) throws(StoreError) {
        let row = ChangeRow(change, message: message, room: room)
        try connection.statement(
            """
            INSERT INTO changes(
                key, id, message, user, username, kind, timestamp, client_id, emoji, count, successor)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(1, row.key).bind(2, row.id).bind(3, row.message).bind(4, row.user.userID.value)
            .bind(5, row.user.username).bind(6, row.kind.rawValue).bind(7, row.timestamp.milliseconds)
            .bind(8, row.clientID).bind(9, row.emoji?.value).bind(10, row.count.map { Int64($0) })
            .bind(11, row.successor?.value).run()
    }

    /// Puts the message's content in place of what the table of messages and the journal have of it.
    private func rewrite(_ message: Message, at key: Int64) throws(StoreError) {
        let (body, mentions) = (message.body, StoredList.text(of: message.body.mentions))
        try connection.statement("UPDATE messages SET text = ?, metadata = ?, mentions = ? WHERE key = ?")
            .bind(1, body.text).bind(2, body.metadata).bind(3, mentions).bind(4, key).run()
        guard let position = journal.position(of: message.sequence, in: key >> Schema.sequenceBits) else { return }
        try connection.statement("UPDATE journal SET text = ?, metadata = ?, mentions = ? WHERE position = ?")
            .bind(1, body.text).bind(2, body.metadata).bind(3, mentions).bind(4, position).run()
    }

    private func write(_ state: MessageState, of key: Int64) throws(StoreError) {
        let room = key >> Schema.sequenceBits
        let lastChange = state.changeSequence > 0 ? Schema.messageKey(room: room, state.changeSequence) : nil
        try connection.statement(
            """
            INSERT OR REPLACE INTO message_states(
                key, last_change, edited_at, deleted, pinned, reactions, reply_count, last_reply)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(1, key).bind(2, lastChange).bind(3, state.editedAt?.milliseconds).bind(4, state.isDeleted ? 1 : 0)
            .bind(5, state.isPinned ? 1 : 0).bind(6, StoredList.text(of: state.reactions))
            .bind(7, Int64(state.replyCount)).bind(8, state.lastReply).run()
    }

    private func write(_ reaction: ReactionChange, by change: MessageChange, to key: Int64) throws(StoreError) {
        if reaction.isRemoved {
            try connection.statement("DELETE FROM reactions WHERE message = ? AND emoji = ? AND user = ?")
                .bind(1, key).bind(2, reaction.emoji.value).bind(3, change.user.userID.value).run()
        } else {
            try connection.statement("INSERT INTO reactions(message, emoji, user, position) VALUES(?, ?, ?, ?)")
                .bind(1, key).bind(2, reaction.emoji.value).bind(3, change.user.userID.value)
                .bind(4, change.sequence).run()
        }
    }

    /// Reports of a deleted message stay, without what their authors wrote: that may repeat its text.
    func dropReasons(ofFlagsOf message: MessageID, room: Int64) throws(StoreError) {
        try connection.statement("UPDATE flags SET reason = NULL WHERE room = ? AND message = ?")
            .bind(1, room).bind(2, message).run()
    }

    /// Takes the events of a deleted message back that were not published.
    private func dropEvents(of message: Message, at key: Int64) throws(StoreError) {
        guard options.owesEvents else { return }
        try connection.statement("DELETE FROM outbox WHERE id = ?").bind(1, message.id).run()
        guard options.publishesChanges || options.webhookOwner != nil else { return }
        try connection.statement("DELETE FROM outbox WHERE id IN (SELECT id FROM changes WHERE message = ?)")
            .bind(1, key).run()
    }
}
