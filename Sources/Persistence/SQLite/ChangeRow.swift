import ChatDomain

/// A change as the table of changes has it. The text of an edit is in the message alone, so that deleting the message takes
/// it away.
struct ChangeRow {
    enum Kind: String {
        case edited, deleted, reacted, unreacted, pinned, unpinned
    }

    /// The room's key above the change's number.
    var key: Int64
    var id: MessageID
    /// The key of the message it changes.
    var message: Int64
    var user: RoomUser
    var kind: Kind
    var timestamp: Timestamp
    var clientID: String?
    var emoji: Emoji?
    var count: Int?
    var successor: UserID?
}

extension ChangeRow {
    init(_ change: MessageChange, message: Int64, room: Int64) {
        let reaction: ReactionChange? = if case .reaction(let reaction) = change.kind { reaction } else { nil }
        self.init(
            key: Schema.messageKey(room: room, change.sequence), id: change.id, message: message, user: change.user,
            kind: Kind(change.kind), timestamp: change.timestamp, clientID: change.clientMessageID,
            emoji: reaction?.emoji, count: reaction?.count, successor: reaction?.successor)
    }

    /// The change, with the text that the message has now.
    ///
    /// - Parameter changed: the message as it is now.
    func change(of changed: Message) -> MessageChange {
        MessageChange(
            id: id, sequence: Schema.sequence(ofKey: key), roomID: changed.roomID, messageID: changed.id,
            messageSequence: changed.sequence, user: user, kind: kind(of: changed), timestamp: timestamp,
            clientMessageID: clientID)
    }

    private func kind(of changed: Message) -> MessageChange.Kind {
        switch kind {
        case .edited where changed.isDeleted: .deleted
        case .edited:
            .edited(
                MessageEdit(
                    text: changed.body.text, metadata: changed.body.metadata, mentions: changed.body.mentions))
        case .deleted: .deleted
        case .pinned: .pinned(true)
        case .unpinned: .pinned(false)
        case .reacted, .unreacted:
            .reaction(
                ReactionChange(
                    emoji: emoji ?? Emoji(unchecked: ""), isRemoved: kind == .unreacted, count: count ?? 0,
                    successor: successor))
        }
    }
}

extension ChangeRow.Kind {
    fileprivate init(_ kind: MessageChange.Kind) {
        self =
            switch kind {
            case .edited: .edited
            case .deleted: .deleted
            case .reaction(let reaction): reaction.isRemoved ? .unreacted : .reacted
            case .pinned(let isPinned): isPinned ? .pinned : .unpinned
            }
    }
}

extension SQLiteConnection {
    /// The change of this key; nil where there is none, or one of a kind that is not known.
    func change(at key: Int64) throws(StoreError) -> ChangeRow? {
        try statement(
            """
            SELECT key, id, message, user, username, kind, timestamp, client_id, emoji, count, successor
            FROM changes WHERE key = ?
            """
        ).bind(1, key).rows { $0.change }.first
    }
}

extension Row {
    /// Columns: key, id, message, user, username, kind, timestamp, client_id, emoji, count, successor. nil for a kind that is
    /// not known.
    fileprivate var change: ChangeRow? {
        guard let kind = ChangeRow.Kind(rawValue: text(5)) else { return nil }
        return ChangeRow(
            key: integer(0), id: messageID(1), message: integer(2),
            user: RoomUser(userID: UserID(unchecked: text(3)), username: text(4)), kind: kind,
            timestamp: Timestamp(milliseconds: integer(6)), clientID: optionalText(7),
            emoji: optionalText(8).map { Emoji(unchecked: $0) },
            count: optionalInteger(9).map { Int(clamping: max(0, $0)) },
            successor: optionalText(10).map { UserID(unchecked: $0) })
    }
}
