import ChatDomain

extension WriteSession {
    /// Writes a message into the journal.
    func record(_ message: Message, room: Int64) throws(StoreError) {
        let body = message.body
        try connection.statement(
            """
            INSERT INTO journal(key, id, author, username, text, kind, timestamp, client_id, metadata, reply_to, mentions)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(1, Schema.messageKey(room: room, message.sequence)).bind(2, message.id).bind(3, body.author.value).bind(
            4, body.username
        )
        .bind(5, body.text).bind(6, body.kind).bind(7, message.timestamp.milliseconds)
        .bind(8, body.clientMessageID).bind(9, body.metadata).bind(10, body.replyTo)
        .bind(11, StoredList.text(of: body.mentions)).run()
        journal.append(
            message,
            at: JournalEntry(
                position: connection.lastInsertedKey, room: room, sequence: message.sequence, author: body.author,
                bytes: body.approximateBytes))
    }

    /// Lets readers see what the last transaction wrote into the journal.
    func publishCommitted(at now: ContinuousClock.Instant) {
        erasure.committed()
        let committed = journal.committed(at: now)
        if !committed.messages.isEmpty { unmoved.add(committed.messages) }
        if !committed.changed.isEmpty { unmoved.update(committed.changed) }
    }

    var isMoving: Bool { journal.move != nil }

    /// Moves a little of the journal, if it is time to. Nothing waits for its flush: the journal still has what a power
    /// loss takes back.
    ///
    /// - Throws: `.unavailable`; the transaction must be rolled back then, and nothing has changed.
    func moveSome(at now: ContinuousClock.Instant, isForced: Bool = false) throws(StoreError) {
        if journal.beginMove(at: now, isForced: isForced, firstDocument: searchPositions.next) {
            if let move = journal.move { searchPositions.append(upTo: move.endOfDocuments) }
            unmoved.moveBegan()
        }
        guard let move = journal.move, let step = move.step else { return }
        try begin(flushing: false)
        switch step {
        case .insert(let entries): try connection.copyToMessages(entries)
        case .remove(let position): try connection.removeFromJournal(through: position, move.documents)
        }
        try commit()
        guard journal.didStep() else { return }
        unmoved.moveEnded()
        movedTexts.append(journal.takeMoved())
    }

    /// Has the room's messages in the table of messages too, within the transaction under way.
    func copyToMessages(of room: Int64) throws(StoreError) {
        try connection.copyToMessages(journal.entries(of: room))
    }
}
