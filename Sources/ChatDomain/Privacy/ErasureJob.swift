/// An erasure under way: which step is next, and how far it got.
///
/// The job is stored after every step, so that any instance can go on with it after a crash. A step that was performed and not
/// stored is performed again; each may be repeated without harm.
public struct ErasureJob: Hashable, Sendable {
    /// The stages of a job, in their order. A subject needs some of them.
    public enum Stage: String, CaseIterable, Sendable {
        /// The user's sessions end; a room closes.
        case closing
        /// The last writes of sessions that have ended come into the store.
        case waiting
        /// Profile, friends, memberships, read marks.
        case records
        /// Direct rooms, whose ids name their users.
        case directRooms
        case messages
        case files
        /// What lies outside the store: presence, kept sessions.
        case traces
        /// What was erased leaves the free space of the database.
        case purging
        case finished
    }

    public enum Step: Hashable, Sendable {
        case close
        case wait(until: Timestamp)
        case eraseRecords
        case renameDirectRooms(after: String?)
        case eraseMessages(after: String?)
        case eraseFiles
        case eraseTraces
        case purge
        /// The job itself leaves the store, as its subject names a user or room.
        case finish
    }

    /// How often messages are gone through. Each pass after the first looks for what was written during the one before.
    public static let maximumPasses = 3
    /// The longest time that a session's last writes take to reach the store, past the grace period.
    public static let timeForLastWrites: Duration = .seconds(3)
    /// How long a job waits for sessions that do not end: those of a dead instance end with its lease.
    public static let maximumWait: Duration = .seconds(60)

    public let id: MessageID
    public let subject: ErasureSubject
    public let requestedAt: Timestamp
    public private(set) var stage: Stage
    /// The store's place within the stage; nil at its beginning.
    public private(set) var cursor: String?
    /// When the next stage may begin.
    public private(set) var notBefore: Timestamp
    /// Messages that lost text or author.
    public private(set) var messages: Int
    /// Passes over the messages that are complete, and entries that the present one changed.
    public private(set) var passes: Int
    public private(set) var changedInPass: Int

    public init(id: MessageID, _ subject: ErasureSubject, at now: Timestamp) {
        self.id = id
        self.subject = subject
        requestedAt = now
        stage = Self.stages(of: subject).first ?? .finished
        notBefore = now
        (messages, passes, changedInPass) = (0, 0, 0)
    }

    /// A stored job. Numbers below zero count as zero.
    public init(
        id: MessageID, _ subject: ErasureSubject, at requestedAt: Timestamp, stage: Stage, cursor: String?,
        notBefore: Timestamp, messages: Int, passes: Int, changedInPass: Int
    ) {
        self.id = id
        self.subject = subject
        self.requestedAt = requestedAt
        self.stage = stage
        self.cursor = cursor
        self.notBefore = notBefore
        self.messages = max(messages, 0)
        self.passes = max(passes, 0)
        self.changedInPass = max(changedInPass, 0)
    }

    /// The user to erase, and the one that takes the place; nil for other subjects.
    public var user: ErasedUser? {
        guard case .user(let user, let messages) = subject else { return nil }
        return ErasedUser(user, as: UserID(unchecked: "erased-\(id)"), messages: messages)
    }

    /// The stages that a subject needs, the first of which is the job's beginning.
    public static func stages(of subject: ErasureSubject) -> [Stage] {
        switch subject {
        case .user:
            [.closing, .waiting, .records, .directRooms, .messages, .files, .traces, .purging, .finished]
        case .room: [.closing, .messages, .files, .traces, .purging, .finished]
        case .expiredMessages: [.messages, .purging, .finished]
        }
    }

    // MARK: Steps

    public var step: Step {
        switch stage {
        case .closing: .close
        case .waiting: .wait(until: notBefore)
        case .records: .eraseRecords
        case .directRooms: .renameDirectRooms(after: cursor)
        case .messages: .eraseMessages(after: cursor)
        case .files: .eraseFiles
        case .traces: .eraseTraces
        case .purging: .purge
        case .finished: .finish
        }
    }

    /// A step without parts was performed.
    ///
    /// - Parameter gracePeriod: how long ended sessions are remembered.
    public mutating func didPerformStep(gracePeriod: Duration, at now: Timestamp) {
        if stage == .closing {
            let span = (gracePeriod + Self.timeForLastWrites).wholeMilliseconds
            notBefore = Timestamp(milliseconds: now.milliseconds + span)
        }
        if stage == .waiting, now < notBefore { return }
        beginNextStage()
    }

    /// The user has sessions still. The job waits for their last writes too.
    public mutating func foundSessions(at now: Timestamp) {
        let end = requestedAt.milliseconds + Self.maximumWait.wholeMilliseconds
        guard stage == .waiting, now.milliseconds < end else { return }
        let next = Timestamp(milliseconds: now.milliseconds + Self.timeForLastWrites.wholeMilliseconds)
        notBefore = max(notBefore, next)
    }

    /// A part of a step was performed.
    public mutating func didPerform(_ slice: ErasureSlice) {
        messages = messages.addingClamped(slice.messages)
        changedInPass = changedInPass.addingClamped(slice.messages).addingClamped(slice.others)
        cursor = slice.next
        guard slice.next == nil else { return }
        guard stage == .messages else { return beginNextStage() }
        passes = passes.addingClamped(1)
        let isComplete = changedInPass == 0 || passes >= Self.maximumPasses
        changedInPass = 0
        if isComplete { beginNextStage() }
        // Expired messages are looked for every hour, mostly in vain.
        if subject == .expiredMessages, stage == .purging, messages == 0 { stage = .finished }
    }

    private mutating func beginNextStage() {
        let stages = Self.stages(of: subject)
        let index = stages.firstIndex(of: stage) ?? stages.count
        stage = index + 1 < stages.count ? stages[index + 1] : .finished
        cursor = nil
    }
}

/// What a part of a step did.
public struct ErasureSlice: Hashable, Sendable {
    /// Rooms whose messages or properties changed.
    public var rooms: [RoomID]
    /// Messages that lost text or author.
    public var messages: Int
    /// Other entries that changed.
    public var others: Int
    /// The metadata of expired messages, which may name files.
    public var metadata: [ErasedMetadata] = []
    /// Where the next part begins; nil at the end.
    public var next: String?

    public init(rooms: [RoomID] = [], messages: Int = 0, others: Int = 0, next: String?) {
        self.rooms = rooms
        self.messages = messages
        self.others = others
        self.next = next
    }
}

/// The metadata that a message had.
public struct ErasedMetadata: Hashable, Sendable {
    public var room: RoomID
    public var author: UserID
    /// A JSON object as compact text.
    public var text: String

    public init(room: RoomID, author: UserID, text: String) {
        self.room = room
        self.author = author
        self.text = text
    }
}

extension Int {
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
