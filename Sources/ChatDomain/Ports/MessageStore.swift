/// The durable truth about messages, participants and read marks. Kept by SQLite and by MongoDB; one contract suite runs over both.
///
/// Duties of every implementation:
/// - **Numbering is storing.** A message gets its number in the step that makes it durable; a room's numbers have no holes.
/// - **Idempotency by unique index** over (room, author, client message id), never by a cache with a time limit. Repeats inside
///   one write resolve like repeats against the store.
/// - **An outcome is certain.** `commit` completes once per call and only when it is known what was stored. While an attempt's
///   outcome is unknown the implementation keeps settling it; the caller has its own deadline for its senders.
/// - What a write brings takes effect in this order: participants, read marks, drafts in their order.
/// - Sending is reading: a stored message moves its author's read mark to it, at the latest a moment afterwards.
/// - Nothing here blocks the caller's thread; completions come on a thread of the store's own.
public protocol MessageStore: Sendable {
    /// Stores what rooms gathered, many rooms in one go. At most one write of a room may be in flight.
    ///
    /// The outcomes come in the order of `writes`.
    func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void)

    /// - Throws: `.unavailable` when the store cannot be read now.
    func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage

    /// The newest number of each room that has messages; rooms without are absent.
    func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber]
}

/// What one room gathered since its last write.
public struct RoomWrite: Sendable {
    public var roomID: RoomID
    /// The newest number this instance knows of; where numbering starts, if nobody else was faster.
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

/// What became of a `RoomWrite`.
public struct RoomWriteOutcome: Sendable {
    public enum Draft: Sendable, Hashable {
        case stored(SequenceNumber)
        /// The same author, room and client id had stored this, with the same body, before.
        case duplicate(id: MessageID, sequence: SequenceNumber, timestamp: Timestamp)
        /// The client id was used before for another body.
        case conflict
        /// Certainly not stored.
        case failed(StoreError)
    }

    public var roomID: RoomID
    /// One per draft, in order.
    public var drafts: [Draft]
    /// One per read mark, in order: whether it moved forward, or why it could not be kept.
    public var readMarks: [Result<Bool, StoreError>]
    /// Why the new participants could not be recorded; `.rejected` where the room is not there. nil when they were.
    public var participantsFailure: StoreError?
    /// Those of the new participants for whom the room has no place.
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

/// Why the store did not do it.
public enum StoreError: Error, Hashable, Sendable {
    /// It cannot be reached or written now; `reason` is for logs, never for clients.
    case unavailable(reason: String)
    /// The database refused the data itself; a retry will not help.
    case rejected(reason: String)

    /// There is nothing wrong with the store: other instances were faster, again and again.
    public static let contended = Self.unavailable(reason: "other instances were faster")
    public static let noSuchRoom = Self.rejected(reason: "there is no such room")
    /// What a store's calls end with once it is closed, or while too many of them wait.
    package static let refused = Self.unavailable(reason: "the store is closed, or too much waits for it")

    public var reason: String {
        switch self {
        case .unavailable(let reason), .rejected(let reason): reason
        }
    }
}
