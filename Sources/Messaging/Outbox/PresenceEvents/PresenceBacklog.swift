import ChatDomain

/// Presence events that wait for the broker, in the order of their edges. A value without I/O.
///
/// One batch is sent at a time. When the broker does not confirm an event, that event and all behind it are sent again, so
/// that no later event of a user overtakes an earlier one. When another instance publishes an edge of a user whose event
/// still waits here, this instance repeats that edge behind its own event: otherwise the delayed event would be the last one
/// about the user, and wrong.
struct PresenceBacklog {
    /// One change between online and offline, as other users see it.
    struct Entry {
        var tag: UInt64
        var presence: UserPresence
        var at: Timestamp
        var isOnline: Bool { presence.status.isOnline }
    }

    static let batchSize = 256

    private let capacity: Int
    private var waiting: [Entry] = []
    /// The index of the oldest event; those before it were dropped or confirmed.
    private var head = 0
    private var lastTag: UInt64 = 0
    /// The tag of each user's newest event.
    private var newest: [UserID: UInt64] = [:]
    /// The newest edges that other instances published, of users whose events wait here.
    private var newerElsewhere: [UserID: UserPresence] = [:]
    /// The number of events in the batch that was sent, from the front, and the tags of those without an answer.
    private var batch = 0
    private var unanswered: Set<UInt64> = []
    private var firstRefused: UInt64?

    /// - Parameter capacity: the most events that may wait behind the batch that was sent; past that the oldest is dropped.
    init(capacity: Int = 100_000) { self.capacity = capacity }

    var count: Int { waiting.count - head }
    var isSending: Bool { batch > 0 }

    /// Appends an edge that this instance publishes.
    ///
    /// - Returns: whether an older event was dropped for it.
    mutating func add(_ presence: UserPresence, at now: Timestamp) -> Bool {
        newerElsewhere[presence.user.userID] = nil
        let isFull = count - batch >= capacity
        if isFull { dropOldest() }
        lastTag += 1
        newest[presence.user.userID] = lastTag
        waiting.append(Entry(tag: lastTag, presence: presence, at: now))
        return isFull
    }

    /// Another instance publishes an edge.
    mutating func receivedEdgeElsewhere(_ presence: UserPresence) {
        let user = presence.user.userID
        if newest[user] != nil { newerElsewhere[user] = presence }
    }

    private mutating func dropOldest() {
        let entry = waiting[head + batch]
        // The batch that was sent moves up by one, into the place of the dropped event.
        for index in stride(from: head + batch, to: head, by: -1) { waiting[index] = waiting[index - 1] }
        head += 1
        forget(entry)
        compact()
    }

    private mutating func forget(_ entry: Entry) {
        let user = entry.presence.user.userID
        guard newest[user] == entry.tag else { return }
        newest[user] = nil
        newerElsewhere[user] = nil
    }

    private mutating func compact() {
        guard head > 1024, head > waiting.count / 2 else { return }
        waiting.removeFirst(head)
        head = 0
    }

    /// The next batch to send; empty while one is unanswered.
    mutating func next() -> [Entry] {
        guard batch == 0, count > 0 else { return [] }
        let entries = Array(waiting[head..<min(head + Self.batchSize, waiting.count)])
        batch = entries.count
        unanswered = Set(entries.map(\.tag))
        firstRefused = nil
        return entries
    }

    /// The outcome of the batch that was sent is unknown: all of it is sent again.
    mutating func didLoseConnection() {
        batch = 0
        unanswered = []
    }

    enum Outcome {
        /// Some events of the batch have no answer yet.
        case incomplete
        case confirmed
        /// Not all events were confirmed; the rest is sent again after a pause.
        case refused
    }

    mutating func receivedOutcome(_ tag: UInt64, isConfirmed: Bool, at now: Timestamp) -> Outcome {
        guard batch > 0, unanswered.remove(tag) != nil else { return .incomplete }
        if !isConfirmed { firstRefused = min(firstRefused ?? tag, tag) }
        guard unanswered.isEmpty else { return .incomplete }
        let sent = waiting[head..<(head + batch)]
        let confirmed = Array(sent.prefix { $0.tag < firstRefused ?? .max })
        head += confirmed.count
        batch = 0
        for entry in confirmed { finish(entry, at: now) }
        compact()
        return firstRefused == nil ? .confirmed : .refused
    }

    /// Repeats the edge that another instance published meanwhile, if the confirmed event was the user's last and differs.
    private mutating func finish(_ entry: Entry, at now: Timestamp) {
        let user = entry.presence.user.userID
        guard newest[user] == entry.tag else { return }
        newest[user] = nil
        guard let presence = newerElsewhere.removeValue(forKey: user), presence.status.isOnline != entry.isOnline else {
            return
        }
        _ = add(presence, at: now)
    }
}
