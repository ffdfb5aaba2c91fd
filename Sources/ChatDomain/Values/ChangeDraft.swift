/// A change on its way to the store: what is asked for, and what its user may do.
public struct ChangeDraft: Hashable, Sendable {
    /// The change's own id.
    public var id: MessageID
    /// The message to change.
    public var messageID: MessageID
    public var user: RoomUser
    public var request: ChangeRequest
    public var authority: ChangeAuthority
    public var clientMessageID: String?
    public var timestamp: Timestamp

    public init(
        id: MessageID, messageID: MessageID, user: RoomUser, request: ChangeRequest, authority: ChangeAuthority,
        clientMessageID: String? = nil, timestamp: Timestamp
    ) {
        self.id = id
        self.messageID = messageID
        self.user = user
        self.request = request
        self.authority = authority
        self.clientMessageID = clientMessageID
        self.timestamp = timestamp
    }

    /// The weight against byte limits.
    public var approximateBytes: Int {
        let edit = if case .edit(let edit) = request { edit.approximateBytes } else { 0 }
        return edit + user.userID.value.utf8.count + user.username.utf8.count + (clientMessageID?.utf8.count ?? 0) + 128
    }
}

/// A change of a message as its client asked for it.
public struct MessageChangeRequest: Hashable, Sendable {
    public var messageID: MessageID
    public var kind: ChangeRequest
    public var clientMessageID: String?

    public init(messageID: MessageID, _ kind: ChangeRequest, clientMessageID: String? = nil) {
        self.messageID = messageID
        self.kind = kind
        self.clientMessageID = clientMessageID
    }

    /// Whether a file may go with the change, or come with it.
    public var mayConcernFile: Bool {
        switch kind {
        case .delete: true
        case .edit(let edit): edit.metadata != nil
        case .react, .pin: false
        }
    }
}

/// What a change asks for.
public enum ChangeRequest: Hashable, Sendable {
    case edit(MessageEdit)
    case delete
    case react(Emoji, isRemoved: Bool)
    case pin(Bool)
}

/// Which messages the user of a change may change. The room's rules give it; the store holds it against the message.
public enum ChangeAuthority: Hashable, Sendable {
    case anyMessage
    /// The user's own messages, sent at or after a time; nil for any time.
    case ownMessages(since: Timestamp?)
}

extension ChangeDraft {
    public enum Evaluation: Hashable, Sendable {
        case change(MessageChange.Kind)
        /// The message is so already: nothing is stored.
        case unchanged(count: Int?)
        case refused(ChatError)
    }

    /// Facts about one emoji's reactions that the message itself may not show.
    public struct ReactionFacts: Hashable, Sendable {
        /// Whether the user has reacted with this emoji.
        public var hasReacted: Bool
        /// The first user that reacted with it and is not listed; nil where all are.
        public var firstUnlisted: UserID?

        public init(hasReacted: Bool = false, firstUnlisted: UserID? = nil) {
            self.hasReacted = hasReacted
            self.firstUnlisted = firstUnlisted
        }
    }

    /// Decides what becomes of the change. To be called in the step that numbers it.
    ///
    /// - Parameters:
    ///   - message: the message as it is now; nil where the room has none of this id, or not any more.
    ///   - facts: about the emoji of a reaction.
    public func evaluate(on message: Message?, facts: ReactionFacts = ReactionFacts()) -> Evaluation {
        guard let message else { return .refused(.messageUnavailable) }
        if case .ownMessages(let since) = authority {
            guard message.body.author == user.userID else {
                return .refused(.init(.forbidden, "only the author may do this to the message"))
            }
            if let since, message.timestamp < since {
                return .refused(.init(.forbidden, "the message is too old to be changed"))
            }
        }
        if message.isDeleted {
            if case .delete = request { return .unchanged(count: nil) }
            return .refused(.init(.conflict, "the message is deleted"))
        }
        switch request {
        case .edit(var edit):
            edit.metadata = edit.metadata ?? message.body.metadata
            return .change(.edited(edit))
        case .delete: return .change(.deleted)
        case .react(let emoji, let isRemoved): return evaluate(emoji, isRemoved, on: message, facts)
        case .pin(let isPinned):
            return isPinned == message.state?.isPinned ?? false
                ? .unchanged(count: nil) : .change(.pinned(isPinned))
        }
    }

    private func evaluate(
        _ emoji: Emoji, _ isRemoved: Bool, on message: Message, _ facts: ReactionFacts
    ) -> Evaluation {
        let reactions = message.state?.reactions ?? []
        let reaction = reactions.first { $0.emoji == emoji }
        let count = reaction?.count ?? 0
        guard facts.hasReacted == isRemoved else { return .unchanged(count: count) }
        if !isRemoved, reaction == nil, reactions.count >= Reaction.limit {
            return .refused(.init(.conflict, "the message has \(Reaction.limit) different reactions already"))
        }
        let isListed = reaction?.users.contains(user.userID) ?? false
        return .change(
            .reaction(
                ReactionChange(
                    emoji: emoji, isRemoved: isRemoved, count: max(0, count + (isRemoved ? -1 : 1)),
                    successor: isRemoved && isListed ? facts.firstUnlisted : nil)))
    }

    /// Whether a stored change is what this one asks for, under the same client id.
    ///
    /// - Parameter message: the changed message as it is now.
    public func isRepeat(of change: MessageChange, to message: Message?) -> Bool {
        guard messageID == change.messageID else { return false }
        switch (request, change.kind) {
        case (.delete, .deleted): return true
        case (.pin(let asked), .pinned(let isPinned)): return asked == isPinned
        case (.react(let emoji, let isRemoved), .reaction(let reaction)):
            return emoji == reaction.emoji && isRemoved == reaction.isRemoved
        case (.edit(let edit), .edited(let earlier)):
            // The store does not keep the text of an edit that another one replaced.
            guard message?.state?.changeSequence == change.sequence else { return true }
            return edit.text.hasSameBytes(as: earlier.text)
        // The edited message was deleted meanwhile, and the text of the edit with it.
        case (.edit, .deleted): return message?.isDeleted ?? false
        default: return false
        }
    }
}
