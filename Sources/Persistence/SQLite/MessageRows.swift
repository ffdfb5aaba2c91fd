import ChatDomain

/// Messages as rows. The view `current_messages` and every query that reads messages has these columns, in this order: key, id,
/// author, username, text, kind, timestamp, client_id, metadata, reply_to, mentions, then those of `message_states`:
/// last_change, edited_at, deleted, pinned, reactions, reply_count, last_reply.
extension Row {
    func message(in room: RoomID, from start: Int32 = 0) -> Message {
        Message(
            id: messageID(start + 1), sequence: Schema.sequence(ofKey: integer(start)), roomID: room,
            body: MessageBody(
                author: UserID(unchecked: text(start + 2)), username: text(start + 3), text: text(start + 4),
                kind: text(start + 5), clientMessageID: optionalText(start + 7), metadata: optionalText(start + 8),
                replyTo: optionalText(start + 9), mentions: users(start + 10)),
            timestamp: Timestamp(milliseconds: integer(start + 6)), state: state(from: start + 11))
    }

    /// nil for a message without a row among the states.
    private func state(from start: Int32) -> MessageState? {
        guard !isNull(start + 5) else { return nil }
        var state = MessageState()
        state.changeSequence = Schema.sequence(ofKey: integer(start))
        state.editedAt = optionalInteger(start + 1).map { Timestamp(milliseconds: $0) }
        state.isDeleted = integer(start + 2) != 0
        state.isPinned = integer(start + 3) != 0
        state.reactions = StoredList.reactions(optionalText(start + 4))
        state.replyCount = Int(clamping: max(0, integer(start + 5)))
        state.lastReply = Schema.sequence(ofKey: integer(start + 6))
        return state
    }

    func users(_ column: Int32) -> [UserID] { StoredList.users(optionalText(column)) }
}

/// Short lists in one column. Ids and emojis hold no control characters, so these separate them.
enum StoredList {
    private static let unit = "\u{1F}"
    private static let record = "\u{1E}"

    /// nil for none.
    static func text(of users: [UserID]) -> String? {
        users.isEmpty ? nil : users.map(\.value).joined(separator: unit)
    }

    static func users(_ text: String?) -> [UserID] { fields(text, unit).map { UserID(unchecked: $0) } }

    /// Each reaction is its emoji, its count and its users; nil for none.
    static func text(of reactions: [Reaction]) -> String? {
        guard !reactions.isEmpty else { return nil }
        return reactions.map { reaction in
            ([reaction.emoji.value, String(reaction.count)] + reaction.users.map(\.value)).joined(separator: unit)
        }.joined(separator: record)
    }

    static func reactions(_ text: String?) -> [Reaction] {
        fields(text, record).prefix(Reaction.limit).compactMap { entry in
            let parts = fields(entry, unit)
            guard parts.count >= 2, let count = Int(parts[1]), count > 0 else { return nil }
            return Reaction(
                emoji: Emoji(unchecked: parts[0]), count: count,
                users: parts[2...].prefix(Reaction.listedUsers).map { UserID(unchecked: $0) })
        }
    }

    private static func fields(_ text: String?, _ separator: String) -> [String] {
        guard let text, !text.isEmpty, let mark = separator.utf8.first else { return [] }
        return text.utf8.split(separator: mark, omittingEmptySubsequences: false).map { String(Substring($0)) }
    }
}
