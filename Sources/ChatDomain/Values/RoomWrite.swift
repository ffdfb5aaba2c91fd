/// What a room gathered since its last write.
public struct RoomWrite: Sendable {
    public var roomID: RoomID
    /// The newest number this instance knows of; where numbering starts, if no other instance was faster.
    public var lastKnown: SequenceNumber
    /// Users to record as participants (idempotent; past the room's limit they are not).
    public var newParticipants: [UserID]
    public var readMarks: [ReadMark]
    /// Messages and changes, in the order in which they are numbered.
    public var drafts: [RoomDraft]

    public init(
        roomID: RoomID, lastKnown: SequenceNumber, newParticipants: [UserID] = [], readMarks: [ReadMark] = [],
        drafts: [RoomDraft] = []
    ) {
        self.roomID = roomID
        self.lastKnown = lastKnown
        self.newParticipants = newParticipants
        self.readMarks = readMarks
        self.drafts = drafts
    }

    /// A write without changes.
    public init(
        roomID: RoomID, lastKnown: SequenceNumber, newParticipants: [UserID] = [], readMarks: [ReadMark] = [],
        messages: [MessageDraft]
    ) {
        self.init(
            roomID: roomID, lastKnown: lastKnown, newParticipants: newParticipants, readMarks: readMarks,
            drafts: messages.map { .message($0) })
    }
}

/// An entry of a room's log on its way to the store.
public enum RoomDraft: Hashable, Sendable {
    case message(MessageDraft)
    case change(ChangeDraft)

    /// The entry's own id.
    public var id: MessageID {
        switch self {
        case .message(let draft): draft.id
        case .change(let draft): draft.id
        }
    }

    /// The user that sent it.
    public var author: UserID {
        switch self {
        case .message(let draft): draft.body.author
        case .change(let draft): draft.user.userID
        }
    }

    /// The client's own id for it. Messages and changes of one user in one room share these ids.
    public var clientMessageID: String? {
        switch self {
        case .message(let draft): draft.body.clientMessageID
        case .change(let draft): draft.clientMessageID
        }
    }

    public var timestamp: Timestamp {
        switch self {
        case .message(let draft): draft.timestamp
        case .change(let draft): draft.timestamp
        }
    }

    /// nil for a change.
    public var message: MessageDraft? { if case .message(let draft) = self { draft } else { nil } }
    /// nil for a message.
    public var change: ChangeDraft? { if case .change(let draft) = self { draft } else { nil } }

    /// The weight against byte limits.
    public var approximateBytes: Int {
        switch self {
        case .message(let draft): draft.body.approximateBytes
        case .change(let draft): draft.approximateBytes
        }
    }
}

extension RoomWrite {
    /// How far its authors have read once it is stored like this: sending is reading.
    public func authorsMarks(_ outcomes: [RoomWriteOutcome.Draft]) -> [ReadMark] {
        var newest: [UserID: SequenceNumber] = [:]
        for (draft, outcome) in zip(drafts, outcomes) {
            guard case .stored(let sequence) = outcome else { continue }
            newest[draft.author] = max(sequence, newest[draft.author] ?? 0)
        }
        return newest.map { ReadMark(userID: $0, sequence: $1) }
    }
}

/// How far a user has read. Never moves backwards.
public struct ReadMark: Hashable, Sendable {
    public var userID: UserID
    public var sequence: SequenceNumber

    public init(userID: UserID, sequence: SequenceNumber) {
        self.userID = userID
        self.sequence = sequence
    }
}

/// The outcome of a `RoomWrite`.
public struct RoomWriteOutcome: Sendable {
    public enum Draft: Sendable, Hashable {
        /// The message has this number now.
        case stored(SequenceNumber)
        /// The change is stored, and the message is as it says.
        case changed(MessageChange)
        /// The message was so already: nothing is stored. For a reaction with the count of its emoji.
        case unchanged(count: Int?)
        /// The same author, room and client id had stored this message, with the same body, before.
        case duplicate(id: MessageID, sequence: SequenceNumber, timestamp: Timestamp)
        /// The same author, room and client id had stored this change before.
        case repeated(MessageChange)
        /// The client id was used before for something else.
        case conflict
        /// Nothing is stored, because of what the room's messages are.
        case refused(ChatError)
        /// Certainly not stored.
        case failed(StoreError)

        /// Whether the store was not there or not able. A lost race is no failure of the store.
        public var isStoreFailure: Bool {
            guard case .failed(.unavailable) = self else { return false }
            return self != .failed(.contended)
        }
    }

    public var roomID: RoomID
    /// One per draft, in order.
    public var drafts: [Draft]
    /// One per read mark, in order: whether it moved forward, or why it could not be kept.
    public var readMarks: [Result<Bool, StoreError>]
    /// Why the new participants could not be recorded; `.rejected` where the room is not there. nil when they were.
    public var participantsFailure: StoreError?
    /// Those of the new participants that the room has no place for.
    public var unrecordedParticipants: Set<UserID> = []

    public init(
        roomID: RoomID, drafts: [Draft], readMarks: [Result<Bool, StoreError>], participantsFailure: StoreError? = nil
    ) {
        self.roomID = roomID
        self.drafts = drafts
        self.readMarks = readMarks
        self.participantsFailure = participantsFailure
    }

    /// The outcome of a write of which nothing was stored.
    public static func failure(of write: RoomWrite, _ error: StoreError) -> Self {
        .init(
            roomID: write.roomID, drafts: write.drafts.map { _ in .failed(error) },
            readMarks: write.readMarks.map { _ in .failure(error) },
            participantsFailure: write.newParticipants.isEmpty ? nil : error)
    }
}
