import ChatDomain

/// One room's drafts on their way into the collection, as a value: what came back goes in, what to do next comes out.
///
/// Numbers follow the newest one known; the unique index on (room, number) says when somebody else was faster. A
/// refused insert has stored everything before the draft it names, because drafts go in order.
struct RoomAttempt: Sendable {
    enum Step: Hashable {
        /// Insert `remaining`, in order.
        case insert
        /// Read the room's newest number, after a moment that grows with the losses.
        case readNewest
        /// Look for messages with the client ids of `remaining`.
        case findRepeats
        /// Look for `remaining` themselves: an attempt whose outcome is unknown may have stored them.
        case findOwn
        /// Look for them again after a while: they are there, and the majority does not have them yet.
        case findOwnLater
        case finished
    }

    /// Why an insert stopped at a draft.
    enum Obstacle: Hashable {
        case numberTaken
        case clientIDTaken
        /// This very message is stored already.
        case alreadyStored
        case refused(reason: String)
    }

    static let maximumLosses = 10

    let roomID: RoomID
    let drafts: [MessageDraft]
    /// One per draft, nil while open.
    private(set) var outcomes: [RoomWriteOutcome.Draft?]
    /// Indices of the drafts not stored yet, in order.
    private(set) var remaining: [Int]
    /// The number of the first of `remaining`.
    private(set) var next: SequenceNumber
    private(set) var losses = 0
    /// An attempt may have stored some of `remaining`, under the numbers they would get now.
    private(set) var isUncertain = false
    /// An insert met one of `remaining` itself, which has to become visible, or be rolled back.
    private var isAwaited = false

    init(_ write: RoomWrite) {
        roomID = write.roomID
        drafts = write.drafts
        outcomes = write.drafts.map { _ in nil }
        remaining = Array(write.drafts.indices)
        next = write.lastKnown + 1
        if !hasNumbersLeft { _ = fail(Self.numbersUsedUp) }
    }

    private static let numbersUsedUp = StoreError.rejected(reason: "the room's numbers are used up")

    private var hasNumbersLeft: Bool { next + SequenceNumber(remaining.count) - 1 <= MessageNumbers.valid.upperBound }

    var isFinished: Bool { remaining.isEmpty }

    /// An insert of `remaining` was answered: the first `count` are stored, and `obstacle` stopped it there.
    mutating func inserted(_ count: Int, stoppedBy obstacle: Obstacle?) -> Step {
        isUncertain = false
        for index in remaining.prefix(count) { store(index) }
        remaining.removeFirst(min(count, remaining.count))
        guard let obstacle, !remaining.isEmpty else { return remaining.isEmpty ? .finished : .insert }
        switch obstacle {
        case .numberTaken: return lose() ?? .readNewest
        case .clientIDTaken: return .findRepeats
        case .alreadyStored:
            (isAwaited, isUncertain) = (true, true)
            return .findOwn
        case .refused(let reason):
            outcomes[remaining.removeFirst()] = .failed(.rejected(reason: reason))
            return remaining.isEmpty ? .finished : .insert
        }
    }

    mutating func newest(is sequence: SequenceNumber) -> Step {
        next = sequence + 1
        return hasNumbersLeft ? .insert : fail(Self.numbersUsedUp)
    }

    /// What was found under the client ids of `remaining`, in this room and maybe in others.
    ///
    /// - Parameter hasFreed: client ids of an earlier room of this id stood in the way, and do so no more.
    mutating func repeats(_ found: [Message], hasFreed: Bool = false) -> Step {
        let roomID = roomID
        let isProgress = resolve { draft in
            guard let clientID = draft.body.clientMessageID else { return nil }
            let earlier = found.first {
                $0.roomID == roomID && $0.body.author == draft.body.author
                    && $0.body.clientMessageID?.hasSameBytes(as: clientID) == true
            }
            return earlier.map { Self.outcome(of: draft, given: $0) }
        }
        if remaining.isEmpty { return .finished }
        // The index knows of it and the majority does not yet: that passes, or counts as a loss.
        return isProgress || hasFreed ? .insert : lose() ?? .findRepeats
    }

    /// Which of `remaining` are stored, by an attempt of ours.
    mutating func foundStored(_ found: [Message]) -> Step {
        let isProgress = resolve { draft in
            found.first { $0.id == draft.id }.map { .stored($0.sequence) }
        }
        if let newest = found.map(\.sequence).max() { next = max(next, newest + 1) }
        if remaining.isEmpty { return .finished }
        defer { isAwaited = false }
        if isAwaited, !isProgress { return .findOwnLater }
        // The server may have come back without what came before: numbers go on from what it has.
        return isProgress ? .insert : .readNewest
    }

    /// A command failed. Nil when it must be tried again, later: an earlier attempt is still unsettled.
    mutating func failed(_ error: MongoError) -> Step? {
        if case .unknown = error { isUncertain = true }
        guard !isUncertain else { return nil }
        return fail(error.asStoreError)
    }

    /// Ends with whatever is not stored as failed.
    mutating func fail(_ error: StoreError) -> Step {
        for index in remaining { outcomes[index] = .failed(error) }
        remaining = []
        return .finished
    }

    /// Gives those of `remaining` their outcome that `find` has one for; whether there was any.
    private mutating func resolve(_ find: (MessageDraft) -> RoomWriteOutcome.Draft?) -> Bool {
        var open: [Int] = []
        for index in remaining {
            if let outcome = find(drafts[index]) { outcomes[index] = outcome } else { open.append(index) }
        }
        defer { remaining = open }
        return open.count < remaining.count
    }

    private mutating func store(_ index: Int) {
        outcomes[index] = .stored(next)
        next += 1
    }

    /// Nil while there is another try.
    private mutating func lose() -> Step? {
        losses += 1
        guard losses > Self.maximumLosses else { return nil }
        return fail(.contended)
    }

    private static func outcome(of draft: MessageDraft, given earlier: Message) -> RoomWriteOutcome.Draft {
        if earlier.id == draft.id { return .stored(earlier.sequence) }
        guard draft.body.saysTheSame(as: earlier.body) else { return .conflict }
        return .duplicate(id: earlier.id, sequence: earlier.sequence, timestamp: earlier.timestamp)
    }
}
