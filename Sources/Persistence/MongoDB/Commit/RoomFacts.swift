import ChatDomain

/// What the drafts of a write have to know of the room's messages before they can be numbered.
struct RoomFacts: Sendable {
    /// All users that reacted to a message with an emoji, in order.
    struct ReactionKey: Hashable, Sendable {
        let message: MessageID
        let emoji: Emoji
    }

    /// The messages that drafts change or answer, as they are now.
    var messages: [MessageID: Message] = [:]
    /// Entries with the ids of the drafts, or with their client ids.
    var repeats: [RoomLogEntry] = []
    /// Only for reactions of more users than the message lists.
    var reactors: [ReactionKey: [UserID]] = [:]

    /// The entry that this draft became in an earlier attempt, or that the author stored under its client id before.
    func earlier(_ draft: RoomDraft) -> RoomLogEntry? {
        if let stored = repeats.first(where: { $0.id == draft.id }) { return stored }
        guard let clientID = draft.clientMessageID else { return nil }
        return repeats.first { $0.author == draft.author && $0.clientMessageID?.hasSameBytes(as: clientID) == true }
    }

    func reactions(for draft: ChangeDraft) -> ChangeDraft.ReactionFacts {
        guard case .react(let emoji, _) = draft.request,
            let reaction = messages[draft.messageID]?.state?.reactions.first(where: { $0.emoji == emoji })
        else { return ChangeDraft.ReactionFacts() }
        let users = reactors[ReactionKey(message: draft.messageID, emoji: emoji)] ?? reaction.users
        return ChangeDraft.ReactionFacts(
            hasReacted: users.contains(draft.user.userID), firstUnlisted: users.first { !reaction.users.contains($0) })
    }

    mutating func apply(_ change: MessageChange) {
        messages[change.messageID]?.apply(change)
        guard case .reaction(let reaction) = change.kind else { return }
        let key = ReactionKey(message: change.messageID, emoji: reaction.emoji)
        reactors[key]?.removeAll { $0 == change.user.userID }
        if !reaction.isRemoved { reactors[key]?.append(change.user.userID) }
    }
}

extension RoomDraft {
    /// The message it changes or answers. A text in `replyTo` that is no id answers nothing.
    var target: MessageID? {
        switch self {
        case .message(let draft): draft.body.replyTo.flatMap { MessageID($0) }
        case .change(let draft): draft.messageID
        }
    }

    /// Whether it can be numbered only when the message is known that it changes or answers.
    var needsFacts: Bool {
        switch self {
        case .message(let draft): draft.body.replyTo != nil
        case .change: true
        }
    }
}

extension RoomLogEntry {
    var author: UserID {
        switch self {
        case .message(let message): message.body.author
        case .change(let change): change.user.userID
        }
    }

    var clientMessageID: String? {
        switch self {
        case .message(let message): message.body.clientMessageID
        case .change(let change): change.clientMessageID
        }
    }

    /// The message that it changes or answers.
    var target: MessageID? {
        switch self {
        case .message(let message): message.body.replyTo.flatMap { MessageID($0) }
        case .change(let change): change.messageID
        }
    }
}
