import ChatDomain

extension WriteSession {
    /// Numbers and inserts what a room gathered.
    ///
    /// - Throws: `.unavailable`; the transaction must be rolled back then.
    func perform(_ write: RoomWrite) throws(StoreError) -> RoomWriteOutcome {
        var outcome = RoomWriteOutcome(roomID: write.roomID, drafts: [], readMarks: [])
        guard var room = try slot(of: write.roomID, makeKey: !write.drafts.isEmpty) else {
            outcome.readMarks = write.readMarks.map { _ in .success(false) }
            if !write.newParticipants.isEmpty { outcome.participantsFailure = .noSuchRoom }
            return outcome
        }
        if room.state == Schema.RoomState.live {
            for user in write.newParticipants where try !recordParticipant(user, in: &room) {
                outcome.unrecordedParticipants.insert(user)
            }
        } else if !write.newParticipants.isEmpty {
            outcome.participantsFailure = .noSuchRoom
        }
        outcome.readMarks.reserveCapacity(write.readMarks.count)
        for mark in write.readMarks {
            let bySending = authorMarks.sequence(at: .init(room: write.roomID, user: mark.userID))
            let isMoved = mark.sequence > bySending ? try advance(mark, in: room) : false
            outcome.readMarks.append(.success(isMoved))
        }
        outcome.drafts.reserveCapacity(write.drafts.count)
        for draft in write.drafts { outcome.drafts.append(try append(draft, to: &room)) }
        for mark in write.authorsMarks(outcome.drafts) {
            authorMarks.note(mark.sequence, at: .init(room: write.roomID, user: mark.userID))
        }
        rooms[write.roomID] = room
        return outcome
    }

    private func append(_ draft: MessageDraft, to room: inout RoomSlot) throws(StoreError) -> RoomWriteOutcome.Draft {
        guard room.lastSequence < Schema.maximumSequence else {
            return .failed(.rejected(reason: "the room's numbers are used up"))
        }
        let sequence = room.lastSequence + 1
        do throws(StoreError) {
            if try !insert(draft, room: room.key, sequence) {
                let earlier = try earlierMessage(like: draft, room: room.key)
                guard earlier.sequence <= room.historyBase else { return Self.outcome(of: draft, given: earlier) }
                // It was used in an earlier room of this id: there it is of no use any more, and here it is free.
                try freeClientID(of: Schema.messageKey(room: room.key, earlier.sequence))
                guard try insert(draft, room: room.key, sequence) else {
                    throw .unavailable(reason: "a client id is used twice")
                }
            }
        } catch .rejected(let reason) {
            return .failed(.rejected(reason: reason))
        }
        room.lastSequence = sequence
        return .stored(sequence)
    }

    /// False when the author used this client id in this room before.
    private func insert(
        _ draft: MessageDraft, room: Int64, _ sequence: SequenceNumber
    ) throws(StoreError) -> Bool {
        let key = Schema.messageKey(room: room, sequence)
        let body = draft.body
        try connection.statement(
            """
            INSERT INTO messages(
                key, room, id, author, username, text, kind, timestamp, client_id, metadata, reply_to)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(room, author, client_id) WHERE client_id IS NOT NULL DO NOTHING
            """
        ).bind(1, key).bind(2, room).bind(3, draft.id).bind(4, body.author.value).bind(5, body.username)
            .bind(6, body.text).bind(7, body.kind).bind(8, draft.timestamp.milliseconds)
            .bind(9, body.clientMessageID).bind(10, body.metadata).bind(11, body.replyTo).run()
        guard connection.changes == 1 else { return false }
        if let owner = options.outboxOwner {
            try connection.statement("INSERT INTO outbox(owner, id, message) VALUES(?, ?, ?)")
                .bind(1, owner.value).bind(2, draft.id).bind(3, key).run()
        }
        return true
    }

    private func earlierMessage(like draft: MessageDraft, room: Int64) throws(StoreError) -> Message {
        let body = draft.body
        let earlier = try connection.statement(
            """
            SELECT key, id, author, username, text, kind, timestamp, client_id, metadata, reply_to
            FROM messages WHERE room = ? AND author = ? AND client_id = ?
            """
        ).bind(1, room).bind(2, body.author.value).bind(3, body.clientMessageID).first { row in
            row.message(in: RoomID(unchecked: ""))
        }
        guard let earlier else {
            throw .unavailable(reason: "a client id collided with a message that is not there")
        }
        return earlier
    }

    private static func outcome(of draft: MessageDraft, given earlier: Message) -> RoomWriteOutcome.Draft {
        guard draft.body.saysTheSame(as: earlier.body) else { return .conflict }
        return .duplicate(id: earlier.id, sequence: earlier.sequence, timestamp: earlier.timestamp)
    }

    private func freeClientID(of key: Int64) throws(StoreError) {
        try connection.statement("UPDATE messages SET client_id = NULL WHERE key = ?").bind(1, key).run()
    }

    /// Writes the marks that authors moved by sending.
    func writeAuthorMarks() throws(StoreError) {
        for (place, sequence) in authorMarks.take() {
            guard let room = try slot(of: place.room, makeKey: false) else { continue }
            _ = try advance(ReadMark(userID: place.user, sequence: sequence), in: room)
        }
    }

    /// Whether the mark moved forward.
    private func advance(_ mark: ReadMark, in room: RoomSlot) throws(StoreError) -> Bool {
        guard room.state == Schema.RoomState.live, mark.sequence > 0 else { return false }
        try connection.statement(
            """
            INSERT INTO read_marks(room, user, sequence) VALUES(?, ?, ?)
            ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence
            """
        ).bind(1, room.key).bind(2, mark.userID.value).bind(3, mark.sequence).run()
        return connection.changes == 1
    }
}
