import ChatDomain

/// The state machine that stores one room's drafts: results go in, the next step comes out. A value without I/O.
///
/// Numbers follow the newest known one. The unique index on (room, number) reports that another writer took a number. A
/// refused insert has stored all drafts before the one it names, because inserts are ordered.
struct RoomAttempt: Sendable {
    enum Step: Hashable {
        /// Insert `remaining`, in order.
        case insert
        /// Read the room's newest number, after a pause that grows with the losses.
        case readNewest
        /// Find messages with the client ids of `remaining`.
        case findRepeats
        /// Find `remaining` themselves: an attempt whose outcome is unknown may have stored them.
        case findOwn
        /// Find them after a delay: they are stored, but the majority does not have them yet.
        case findOwnLater
        case finished
    }

    /// Why an insert stopped at a draft.
    enum Obstacle: Hashable {
        case numberTaken
        case clientIDTaken
        /// The message itself is stored already.
        case alreadyStored
        case refused(reason: String)
    }

    static let maximumLosses = 10

    let roomID: RoomID
    let drafts: [MessageDraft]
    /// One for each draft; nil while it is unknown.
    private(set) var outcomes: [RoomWriteOutcome.Draft?]
    /// Indices of the drafts not stored yet, in order.
    private(set) var remaining: [Int]
    /// The number of the first of `remaining`.
    private(set) var next: SequenceNumber
    private(set) var losses = 0
    /// An earlier attempt may have stored some of `remaining`, under the numbers they would get now.
    private(set) var isUncertain = false
    /// One of `remaining` is stored by an earlier attempt, and has to become visible or be rolled back.
    private var awaitsOwn = false

    init(_ write: RoomWrite) {
        roomID = write.roomID
        drafts = write.drafts.compactMap(\.message)
        outcomes = drafts.map { _ in nil }
        remaining = Array(drafts.indices)
        next = write.lastKnown + 1
        if !hasNumbersLeft { _ = fail(Self.numbersUsedUp) }
    }

    private static let numbersUsedUp = StoreError.rejected(reason: "the room's numbers are used up")

    private var hasNumbersLeft: Bool { next + SequenceNumber(remaining.count) - 1 <= MessageNumbers.valid.upperBound }

    var isFinished: Bool { remaining.isEmpty }

    /// An insert stored the first `count` of `remaining`, and `obstacle` stopped it there.
    mutating func didInsert(_ count: Int, stoppedBy obstacle: Obstacle?) -> Step {
        isUncertain = false
        for index in remaining.prefix(count) { store(index) }
        remaining.removeFirst(min(count, remaining.count))
        guard let obstacle, !remaining.isEmpty else { return remaining.isEmpty ? .finished : .insert }
        switch obstacle {
        case .numberTaken: return countLoss() ?? .readNewest
        case .clientIDTaken: return .findRepeats
        case .alreadyStored:
            (awaitsOwn, isUncertain) = (true, true)
            return .findOwn
        case .refused(let reason):
            outcomes[remaining.removeFirst()] = .failed(.rejected(reason: reason))
            return remaining.isEmpty ? .finished : .insert
        }
    }

    /// The room's newest number was read.
    mutating func receivedNewest(_ sequence: SequenceNumber) -> Step {
        next = sequence + 1
        return hasNumbersLeft ? .insert : fail(Self.numbersUsedUp)
    }

    /// Messages with the client ids of `remaining` were read, of this room and possibly of others.
    ///
    /// - Parameter hasFreed: whether client ids of an earlier room with this id were freed.
    mutating func receivedRepeats(_ found: [Message], hasFreed: Bool = false) -> Step {
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
        // The index has the client id, but the majority does not have the message yet. Each repetition counts as a loss.
        return isProgress || hasFreed ? .insert : countLoss() ?? .findRepeats
    }

    /// Those of `remaining` that an earlier attempt stored were read.
    mutating func receivedStored(_ found: [Message]) -> Step {
        let isProgress = resolve { draft in
            found.first { $0.id == draft.id }.map { .stored($0.sequence) }
        }
        if let newest = found.map(\.sequence).max() { next = max(next, newest + 1) }
        if remaining.isEmpty { return .finished }
        defer { awaitsOwn = false }
        if awaitsOwn, !isProgress { return .findOwnLater }
        // The server may have lost messages in a restart. Numbers continue from those it has.
        return isProgress ? .insert : .readNewest
    }

    /// A command failed.
    ///
    /// - Parameters:
    ///   - step: what the command was for.
    ///   - mayRepeat: whether a step that had no effect is taken again.
    /// - Returns: the step to take after a pause; nil when the attempt is over. It is not over while an earlier command may
    ///   still take effect.
    mutating func didFail(_ error: MongoError, at step: Step, mayRepeat: Bool) -> Step? {
        if error.isUnknown { isUncertain = true }
        if isUncertain { return .findOwn }
        if mayRepeat, case .noEffect = error { return step }
        _ = fail(error.asStoreError)
        return nil
    }

    /// Ends the attempt; drafts that are not stored have failed.
    mutating func fail(_ error: StoreError) -> Step {
        for index in remaining { outcomes[index] = .failed(error) }
        remaining = []
        return .finished
    }

    /// Sets the outcomes that `find` returns.
    ///
    /// - Returns: whether there was any.
    private mutating func resolve(_ find: (MessageDraft) -> RoomWriteOutcome.Draft?) -> Bool {
        var unresolved: [Int] = []
        for index in remaining {
            if let outcome = find(drafts[index]) { outcomes[index] = outcome } else { unresolved.append(index) }
        }
        defer { remaining = unresolved }
        return unresolved.count < remaining.count
    }

    private mutating func store(_ index: Int) {
        outcomes[index] = .stored(next)
        next += 1
    }

    /// - Returns: nil while another try is allowed.
    private mutating func countLoss() -> Step? {
        losses += 1
        guard losses > Self.maximumLosses else { return nil }
        return fail(.contended)
    }

    private static func outcome(of draft: MessageDraft, given earlier: Message) -> RoomWriteOutcome.Draft {
        if earlier.id == draft.id { return .stored(earlier.sequence) }
        guard earlier.isRepeated(by: draft.body) else { return .conflict }
        return .duplicate(id: earlier.id, sequence: earlier.sequence, timestamp: earlier.timestamp)
    }
}
