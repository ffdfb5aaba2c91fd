import ChatDomain

/// The journal as the writer knows it: the messages that are in it and not in the table of messages yet.
///
/// It holds three parts: of the transaction under way, those gathered since the last move began, and those being moved.
struct Journal {
    /// Messages that a move begins at; the more it takes, the fewer pages of the table it touches for each.
    static let enough = Amount(messages: 4096, bytes: 4 << 20)
    /// Past this, moving goes before whatever else can wait, and is faster than commits add to the journal.
    static let much = Amount(messages: 8192, bytes: 8 << 20)
    /// Past this, commits wait for the move.
    static let limit = Amount(messages: 16_384, bytes: 16 << 20)
    /// Messages of a transaction that memory is kept for.
    private static let expectedAtOnce = 256
    /// A move begins this long after the first message, however few there are.
    static let interval: Duration = .seconds(1)

    struct Amount {
        var messages = 0
        var bytes = 0

        static func + (a: Self, b: Self) -> Self { .init(messages: a.messages + b.messages, bytes: a.bytes + b.bytes) }
        static func - (a: Self, b: Self) -> Self { .init(messages: a.messages - b.messages, bytes: a.bytes - b.bytes) }
        func reaches(_ limit: Self) -> Bool { messages >= limit.messages || bytes >= limit.bytes }
        func exceeds(_ limit: Self) -> Bool { messages > limit.messages || bytes > limit.bytes }
    }

    private var uncommitted = JournalPart()
    private var uncommittedMessages: [Message] = []
    /// The texts of the move that ended last.
    private var moved: [MovedText] = []
    /// Messages that the transaction under way changed, as they are then.
    private var uncommittedChanged: [(room: Int64, message: Message)] = []
    private var gathered = JournalPart()
    private var moving = JournalPart()
    private(set) var move: JournalMove?
    /// When the next move begins at the latest.
    private var due: ContinuousClock.Instant?

    var isEmpty: Bool { gathered.isEmpty && move == nil }
    var holdsMuch: Bool { amount.reaches(Self.much) }
    var isFull: Bool { amount.reaches(Self.limit) }
    private var amount: Amount { gathered.amount + moving.amount }

    // MARK: What is in it

    /// The room's newest number in the journal.
    mutating func newest(in room: Int64) -> SequenceNumber? {
        uncommitted.newest(in: room) ?? gathered.newest(in: room) ?? moving.newest(in: room)
    }

    /// How far the author has read by sending; 0 when no message of theirs is in the journal.
    mutating func readMark(of user: UserID, in room: Int64) -> SequenceNumber {
        let author = JournalPart.Author(room: room, user: user)
        return uncommitted.readMark(of: author) ?? gathered.readMark(of: author) ?? moving.readMark(of: author) ?? 0
    }

    /// The newest message that its author sent to the room under this client id.
    func message(_ clientID: String, of user: UserID, in room: Int64) -> Message? {
        let key = JournalPart.ClientKey(room: room, user: user, id: .init(unchecked: clientID))
        return uncommitted.byClientID[key] ?? gathered.byClientID[key] ?? moving.byClientID[key]
    }

    /// The number of a message that the transaction under way writes.
    func sequence(of id: MessageID) -> SequenceNumber? { uncommittedMessages.last { $0.id == id }?.sequence }

    /// The row of a message; nil where it is not in the journal.
    mutating func position(of sequence: SequenceNumber, in room: Int64) -> Int64? {
        uncommitted.position(of: sequence, in: room) ?? gathered.position(of: sequence, in: room)
            ?? moving.position(of: sequence, in: room)
    }

    var entries: [JournalEntry] { moving.entries + gathered.entries + uncommitted.entries }

    func entries(of room: Int64) -> [JournalEntry] { entries.filter { $0.room == room } }

    // MARK: Transactions

    /// Takes a message that the transaction under way writes.
    mutating func append(_ message: Message, at entry: JournalEntry) {
        uncommitted.append(message, at: entry)
        uncommittedMessages.append(message)
    }

    /// The transaction under way changes the text or the author of a message, which may be in the journal and in the table already.
    mutating func noteChangedText(of sequence: SequenceNumber, in room: Int64) {
        uncommitted.noteChangedText(of: sequence, in: room)
        gathered.noteChangedText(of: sequence, in: room)
        moving.noteChangedText(of: sequence, in: room)
    }

    /// Notes what the transaction under way made of a message that may be in the journal.
    mutating func note(_ changed: Message, room: Int64) { uncommittedChanged.append((room, changed)) }

    /// - Returns: the messages that are durable now, and those whose changes are.
    mutating func committed(at now: ContinuousClock.Instant) -> (messages: [Message], changed: [Message]) {
        guard !uncommitted.isEmpty || !uncommittedChanged.isEmpty else { return ([], []) }
        let (messages, changed) = (uncommittedMessages, uncommittedChanged)
        // The messages go on as they are: an array that is kept would be copied.
        uncommittedMessages = []
        if !uncommitted.isEmpty {
            uncommittedMessages.reserveCapacity(min(messages.count, Self.expectedAtOnce))
            if gathered.isEmpty { due = now + Self.interval }
            gathered.append(uncommitted, messages)
        }
        for (room, message) in changed {
            gathered.update(message, in: room)
            moving.update(message, in: room)
        }
        forgetUncommitted()
        return (messages, changed.map(\.message))
    }

    mutating func rolledBack() { forgetUncommitted() }

    private mutating func forgetUncommitted() {
        uncommitted.removeAll()
        uncommittedMessages.removeAll(keepingCapacity: true)
        if !uncommittedChanged.isEmpty { uncommittedChanged = [] }
    }

    // MARK: Moving

    /// Begins a move when one is due and none is under way.
    ///
    /// - Parameter document: the first of the positions that its messages get in the search index.
    /// - Returns: whether it began.
    mutating func beginMove(
        at now: ContinuousClock.Instant, isForced: Bool = false, firstDocument document: Int64 = 0
    ) -> Bool {
        guard move == nil, !gathered.isEmpty else { return false }
        guard isForced || gathered.amount.reaches(Self.enough) || due.map({ $0 <= now }) ?? false else { return false }
        move = JournalMove(gathered.entries, firstDocument: document)
        swap(&moving, &gathered)
        due = nil
        return true
    }

    /// To be called when a step of the move is committed.
    ///
    /// - Returns: whether the move is at its end.
    mutating func didStep() -> Bool {
        move?.didStep()
        guard let ended = move, ended.step == nil else { return false }
        moved = moving.texts(at: ended.documents)
        move = nil
        moving.removeAll()
        return true
    }

    /// The texts of the move that ended, in the order of their positions in the search index.
    mutating func takeMoved() -> [MovedText] {
        defer { moved = [] }
        return moved
    }
}
