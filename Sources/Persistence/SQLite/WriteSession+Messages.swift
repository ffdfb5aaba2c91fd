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
            let bySending = journal.readMark(of: mark.userID, in: room.key)
            let isMoved = mark.sequence > bySending ? try advance(mark, in: room) : false
            outcome.readMarks.append(.success(isMoved))
        }
        outcome.drafts.reserveCapacity(write.drafts.count)
        for draft in write.drafts {
            switch draft {
            case .message(let message): outcome.drafts.append(try append(message, to: &room, write.roomID))
            case .change(let change): outcome.drafts.append(try append(change, to: &room, write.roomID))
            }
        }
        rooms.update(room, of: write.roomID)
        return outcome
    }

    private func append(
        _ draft: MessageDraft, to room: inout RoomSlot, _ roomID: RoomID
    ) throws(StoreError) -> RoomWriteOutcome.Draft {
        guard room.lastSequence < Schema.maximumSequence else {
            return .failed(.rejected(reason: "the room's numbers are used up"))
        }
        let message = Message(draft, in: roomID, sequence: room.lastSequence + 1)
        do throws(StoreError) {
            if let earlier = try outcome(of: draft, underItsClientIDIn: room, roomID) { return earlier }
            var answered: Message?
            if let replyTo = draft.body.replyTo {
                if let id = MessageID(replyTo) { answered = try self.message(id, in: room, roomID) }
                if answered == nil { return .refused(.noSuchReply) }
            }
            try store(message, room: room.key)
            if let answered { try noteReply(message.sequence, to: answered, room: room.key) }
        } catch .rejected(let reason) {
            return .failed(.rejected(reason: reason))
        }
        room.lastSequence = message.sequence
        return .stored(message.sequence)
    }

    /// What the client id of a message was used for before; nil where it is free.
    private func outcome(
        of draft: MessageDraft, underItsClientIDIn room: RoomSlot, _ roomID: RoomID
    ) throws(StoreError) -> RoomWriteOutcome.Draft? {
        guard let clientID = draft.body.clientMessageID else { return nil }
        if let earlier = try self.message(sentAs: clientID, by: draft.body.author, room: room.key) {
            guard earlier.sequence <= room.historyBase else { return Self.outcome(of: draft, given: earlier) }
            // It was used in an earlier room of this id: there it is of no use any more, and here it is free.
            try freeClientID(of: Schema.messageKey(room: room.key, earlier.sequence))
        }
        return try change(madeAs: clientID, by: draft.body.author, in: room, roomID) == nil ? nil : .conflict
    }

    private func store(_ message: Message, room: Int64) throws(StoreError) {
        try record(message, room: room)
        guard options.owesEvents else { return }
        try owe(message.id, at: Schema.messageKey(room: room, message.sequence), to: options.eventOwners(of: nil))
    }

    /// Has an entry wait for the destinations of its events.
    func owe(
        _ entry: MessageID, at key: Int64, to owners: [(destination: EventDestination, owner: InstanceID)]
    ) throws(StoreError) {
        for (destination, owner) in owners {
            try connection.statement("INSERT INTO outbox(owner, id, message, destination) VALUES(?, ?, ?, ?)")
                .bind(1, owner.value).bind(2, entry).bind(3, key).bind(4, destination.stored).run()
        }
    }

    /// The message that the author sent under this client id, in the journal or in the table of messages.
    func message(sentAs clientID: String, by author: UserID, room: Int64) throws(StoreError) -> Message? {
        if let known = journal.message(clientID, of: author, in: room) { return known }
        return try connection.statement(
            """
            SELECT * FROM current_messages WHERE key = (
                SELECT key FROM messages WHERE room = ? AND author = ? AND client_id = ?)
            """
        ).bind(1, room).bind(2, author.value).bind(3, clientID).first { row in
            row.message(in: RoomID(unchecked: ""))
        }
    }

    private static func outcome(of draft: MessageDraft, given earlier: Message) -> RoomWriteOutcome.Draft {
        guard earlier.isRepeated(by: draft.body) else { return .conflict }
        return .duplicate(id: earlier.id, sequence: earlier.sequence, timestamp: earlier.timestamp)
    }

    private func freeClientID(of key: Int64) throws(StoreError) {
        try connection.statement("UPDATE messages SET client_id = NULL WHERE key = ?").bind(1, key).run()
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
