/// One room's changes since its last write.
public struct RoomWrite: Sendable {
    public var roomID: RoomID
    /// The newest number this instance knows of; where numbering starts, if no other instance was faster.
    public var lastKnown: SequenceNumber
    /// Users to record as participants (idempotent; past the room's limit they are not).
    public var newParticipants: [UserID]
    public var readMarks: [ReadMark]
    public var drafts: [MessageDraft]

    public init(
        roomID: RoomID, lastKnown: SequenceNumber, newParticipants: [UserID] = [], readMarks: [ReadMark] = [],
        drafts: [MessageDraft] = []
    ) {
        self.roomID = roomID
        self.lastKnown = lastKnown
        self.newParticipants = newParticipants
        self.readMarks = readMarks
        self.drafts = drafts
    }
}

extension RoomWrite {
    /// How far its authors have read once it is stored like this: sending is reading.
    public func authorsMarks(_ outcomes: [RoomWriteOutcome.Draft]) -> [ReadMark] {
        var newest: [UserID: SequenceNumber] = [:]
        for (draft, outcome) in zip(drafts, outcomes) {
            guard case .stored(let sequence) = outcome else { continue }
            newest[draft.body.author] = max(sequence, newest[draft.body.author] ?? 0)
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
        case stored(SequenceNumber)
        /// The same author, room and client id had stored this, with the same body, before.
        case duplicate(id: MessageID, sequence: SequenceNumber, timestamp: Timestamp)
        /// The client id was used before for another body.
        case conflict
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
