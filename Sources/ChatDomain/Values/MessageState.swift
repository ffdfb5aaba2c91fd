/// What only messages have that were changed or answered.
public struct MessageState: Hashable, Sendable {
    /// When the text was edited last.
    public var editedAt: Timestamp?
    /// Whether only the stone is left: id, number, author and time.
    public var isDeleted = false
    public var isPinned = false
    /// The number of the last change; 0 for none.
    public var changeSequence: SequenceNumber = 0
    /// In the order in which the emojis were used first.
    public var reactions: [Reaction] = []
    /// How many messages answer this one, deleted ones among them.
    public var replyCount = 0
    /// The number of the last message that answers this one; 0 for none.
    public var lastReply: SequenceNumber = 0

    public init() {}
}

/// One emoji's reactions to a message.
public struct Reaction: Hashable, Sendable {
    /// Users that are listed by name; the others are only counted.
    public static let listedUsers = 20
    /// Different emojis a message may have.
    public static let limit = 50

    public var emoji: Emoji
    public var count: Int
    /// The first `listedUsers` that reacted, in that order.
    public var users: [UserID]

    public init(emoji: Emoji, count: Int, users: [UserID]) {
        self.emoji = emoji
        self.count = count
        self.users = users
    }
}

/// What a user reacts with: one grapheme cluster or `:name:`, at most 64 bytes.
public struct Emoji: ClientIdentifier {
    public static let maximumBytes = 64

    public let value: String

    public init(unchecked value: String) { self.value = value }

    /// - Throws: `bad_request` naming the field.
    public init(validating value: String, field: String = "emoji") throws(ChatError) {
        guard value.utf8.count <= Self.maximumBytes, Self.isName(value) || Self.isCluster(value) else {
            throw .badRequest("\(field) must be one emoji or :name:, at most \(Self.maximumBytes) bytes")
        }
        self.init(unchecked: value)
    }

    private static func isCluster(_ text: String) -> Bool {
        guard text.count == 1, let character = text.first else { return false }
        // A colon alone is the beginning of a name.
        return !character.isWhitespace && character != ":" && ShortText.isFit(text, maximumCharacters: maximumBytes)
    }

    private static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count > 2, bytes.first == UInt8(ascii: ":"), bytes.last == UInt8(ascii: ":") else { return false }
        return bytes.dropFirst().dropLast().allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"):
                true
            default: false
            }
        }
    }
}

extension Message {
    public var isDeleted: Bool { state?.isDeleted ?? false }
    public var editedAt: Timestamp? { state?.editedAt }
    /// The number of the last change; 0 for none.
    public var changeSequence: SequenceNumber { state?.changeSequence ?? 0 }

    /// Brings the message up to date. A change that it has already, and one of another message, changes nothing.
    public mutating func apply(_ change: MessageChange) {
        var state = state ?? MessageState()
        guard change.messageID == id, change.sequence > state.changeSequence else { return }
        state.changeSequence = change.sequence
        switch change.kind {
        case .edited(let edit):
            if !state.isDeleted {
                (body.text, body.metadata, body.mentions) = (edit.text, edit.metadata, edit.mentions)
                state.editedAt = change.timestamp
            }
        case .deleted:
            eraseContent()
            state.eraseContent()
        case .reaction(let reaction): state.apply(reaction, by: change.user.userID)
        case .pinned(let isPinned): state.isPinned = isPinned
        }
        self.state = state
    }

    /// Counts a message that answers this one. One that is counted already changes nothing.
    ///
    /// - Parameter sequence: its number.
    public mutating func noteReply(_ sequence: SequenceNumber) {
        var state = state ?? MessageState()
        guard sequence > state.lastReply else { return }
        state.lastReply = sequence
        state.replyCount += 1
        self.state = state
    }

    /// Leaves the stone. The client's id stays, so that a retry is not stored as a new message.
    private mutating func eraseContent() {
        (body.text, body.metadata, body.mentions) = ("", nil, [])
    }
}

extension MessageState {
    fileprivate mutating func eraseContent() {
        (isDeleted, isPinned, editedAt, reactions) = (true, false, nil, [])
    }

    fileprivate mutating func apply(_ change: ReactionChange, by user: UserID) {
        let index = reactions.firstIndex { $0.emoji == change.emoji } ?? reactions.count
        if index == reactions.count { reactions.append(Reaction(emoji: change.emoji, count: 0, users: [])) }
        guard change.count > 0 else {
            reactions.remove(at: index)
            return
        }
        reactions[index].count = change.count
        reactions[index].users.removeAll { $0 == user }
        if let next = change.isRemoved ? change.successor : user, reactions[index].users.count < Reaction.listedUsers {
            reactions[index].users.append(next)
        }
    }
}
