import ChatDomain

/// The state machine that stores one room's drafts: results go in, the next step comes out. A value without I/O.
///
/// Numbers follow the newest known one. The unique index on (room, number) reports that another writer took a number. A
/// refused insert has stored all drafts before the one it names, because inserts are ordered.
///
/// A change is evaluated against the room as it is up to the number before: facts are read after that number is known, and read
/// again when an insert shows that the number was taken. Changed and answered messages are brought up to date before the end.
struct RoomAttempt: Sendable {
    enum Step: Hashable {
        /// Insert `entries`, in order.
        case insert
        /// Read what `remaining` have to know of the room.
        case readFacts
        /// Read the room's newest number, after a pause that grows with the losses.
        case readNewest
        /// Find messages with the client ids of `remaining`.
        case findRepeats
        /// Find `remaining` themselves: an attempt whose outcome is unknown may have stored them.
        case findOwn
        /// Find them after a delay: they are stored, but the majority does not have them yet.
        case findOwnLater
        /// Bring the messages in `outdated` up to date.
        case bringUpToDate
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
    let drafts: [RoomDraft]
    /// One for each draft; nil while it is unknown.
    private(set) var outcomes: [RoomWriteOutcome.Draft?]
    /// Indices of the drafts not stored yet, in order.
    private(set) var remaining: [Int]
    /// The number of the first of `remaining` that takes one.
    private(set) var next: SequenceNumber
    private(set) var losses = 0
    /// An earlier attempt may have stored some of `remaining`, under the numbers they would get now.
    private(set) var isUncertain = false
    /// Messages that stored changes and replies are about and that may not show them yet.
    private(set) var outdated: Set<MessageID> = []
    /// One of `remaining` is stored by an earlier attempt, and has to become visible or be rolled back.
    private var awaitsOwn = false
    /// Of the first of `remaining`.
    private var plan = DraftPlan()

    init(_ write: RoomWrite) {
        roomID = write.roomID
        drafts = write.drafts
        outcomes = write.drafts.map { _ in nil }
        remaining = Array(write.drafts.indices)
        next = write.lastKnown + 1
        if !hasNumbersLeft { _ = fail(Self.numbersUsedUp) }
        planMessages()
    }

    private static let numbersUsedUp = StoreError.rejected(reason: "the room's numbers are used up")

    private var hasNumbersLeft: Bool { next + SequenceNumber(remaining.count) - 1 <= MessageNumbers.valid.upperBound }

    var isFinished: Bool { remaining.isEmpty && outdated.isEmpty }

    /// Whether facts have to be read before something can be inserted.
    var needsFacts: Bool { remaining.contains { drafts[$0].needsFacts } }

    /// What an insert has to store, in order.
    var entries: [RoomLogEntry] { plan.entries }

    /// Reads facts or inserts, if drafts remain.
    private mutating func proceed() -> Step {
        guard !remaining.isEmpty else { return outdated.isEmpty ? .finished : .bringUpToDate }
        guard hasNumbersLeft else { return fail(Self.numbersUsedUp) }
        planMessages()
        return needsFacts ? .readFacts : .insert
    }

    private mutating func planMessages() {
        if !needsFacts { plan = DraftPlan(messages: remaining.map { drafts[$0] }, in: roomID, from: next) }
    }

    /// The facts about `remaining` were read, after `next` was known.
    mutating func receivedFacts(_ facts: RoomFacts) -> Step {
        plan = DraftPlan(remaining.map { drafts[$0] }, in: roomID, from: next, facts)
        return plan.entries.isEmpty ? didInsert(0, stoppedBy: nil) : .insert
    }

    /// An insert stored the first `count` of `entries`, and `obstacle` stopped it there.
    mutating func didInsert(_ count: Int, stoppedBy obstacle: Obstacle?) -> Step {
        isUncertain = false
        var open = count
        var done = 0
        for (index, step) in zip(remaining, plan.steps) {
            switch step {
            case .outcome(let outcome): resolve(index, outcome)
            case .entry(let entry) where open > 0:
                resolve(index, RoomWriteOutcome.Draft(entry))
                if let target = entry.target { outdated.insert(target) }
                next = entry.sequence + 1
                open -= 1
            case .entry: open = -1
            }
            if open < 0 { break }
            done += 1
        }
        remaining.removeFirst(done)
        guard let obstacle, !remaining.isEmpty else { return proceed() }
        switch obstacle {
        case .numberTaken: return countLoss() ?? .readNewest
        case .clientIDTaken: return .findRepeats
        case .alreadyStored:
            (awaitsOwn, isUncertain) = (true, true)
            return .findOwn
        case .refused(let reason):
            outcomes[remaining.removeFirst()] = .failed(.rejected(reason: reason))
            return proceed()
        }
    }

    private mutating func resolve(_ index: Int, _ outcome: RoomWriteOutcome.Draft) {
        outcomes[index] = outcome
        switch outcome {
        case .changed(let change), .repeated(let change): outdated.insert(change.messageID)
        default: break
        }
    }

    /// The room's newest number was read.
    mutating func receivedNewest(_ sequence: SequenceNumber) -> Step {
        next = sequence + 1
        return proceed()
    }

    /// Entries with the client ids of `remaining` were read, of this room and possibly of others.
    ///
    /// - Parameter hasFreed: whether client ids of an earlier room with this id were freed.
    mutating func receivedRepeats(_ found: [RoomLogEntry], hasFreed: Bool = false) -> Step {
        let facts = RoomFacts(repeats: found.filter { $0.roomID == roomID })
        let isProgress = resolve { draft in
            facts.earlier(draft).map { RoomWriteOutcome.Draft(of: draft, given: $0, changed: nil) }
        }
        if remaining.isEmpty { return proceed() }
        // The index has the client id, but the majority does not have the message yet. Each repetition counts as a loss.
        return isProgress || hasFreed ? proceed() : countLoss() ?? .findRepeats
    }

    /// Those of `remaining` that an earlier attempt stored were read.
    mutating func receivedStored(_ found: [RoomLogEntry]) -> Step {
        outdated.formUnion(found.compactMap(\.target))
        let isProgress = resolve { draft in
            found.first { $0.id == draft.id }.map { RoomWriteOutcome.Draft($0) }
        }
        if let newest = found.map(\.sequence).max() { next = max(next, newest + 1) }
        if remaining.isEmpty { return proceed() }
        defer { awaitsOwn = false }
        if awaitsOwn, !isProgress { return .findOwnLater }
        // The server may have lost messages in a restart. Numbers continue from those it has.
        return isProgress ? proceed() : .readNewest
    }

    /// The messages in `outdated` show their changes and replies.
    mutating func didBringUpToDate() -> Step {
        outdated = []
        return proceed()
    }

    /// A command failed.
    ///
    /// - Parameters:
    ///   - step: what the command was for.
    ///   - mayRepeat: whether a step that had no effect is taken again.
    /// - Returns: the step to take after a pause; nil when the attempt is over. It is not over while an earlier command may
    ///   still take effect.
    mutating func didFail(_ error: MongoError, at step: Step, mayRepeat: Bool) -> Step? {
        if error.isUnknown, step != .bringUpToDate { isUncertain = true }
        // What is stored has an effect that the sender is told of. A server that refuses it once refuses it always.
        if step == .bringUpToDate { return error.isAnswer ? nil : step }
        if isUncertain { return .findOwn }
        if mayRepeat, case .noEffect = error { return step }
        return fail(error.asStoreError) == .finished ? nil : .bringUpToDate
    }

    /// Ends the attempt; drafts that are not stored have failed.
    mutating func fail(_ error: StoreError) -> Step {
        for index in remaining { outcomes[index] = .failed(error) }
        remaining = []
        return outdated.isEmpty ? .finished : .bringUpToDate
    }

    /// Sets the outcomes that `find` returns.
    ///
    /// - Returns: whether there was any.
    private mutating func resolve(_ find: (RoomDraft) -> RoomWriteOutcome.Draft?) -> Bool {
        var unresolved: [Int] = []
        for index in remaining {
            if let outcome = find(drafts[index]) { resolve(index, outcome) } else { unresolved.append(index) }
        }
        defer { remaining = unresolved }
        return unresolved.count < remaining.count
    }

    /// - Returns: nil while another try is allowed.
    private mutating func countLoss() -> Step? {
        losses += 1
        guard losses > Self.maximumLosses else { return nil }
        return fail(.contended)
    }
}
