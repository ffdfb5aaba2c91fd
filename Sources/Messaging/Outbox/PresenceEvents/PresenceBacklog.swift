import ChatDomain

/// What waits for the broker, in the order it happened. A value: what is to be sent comes out.
///
/// One batch is under way at a time. Where the broker does not take an event, it and everything behind it go again, so that
/// no later event of a user overtakes an earlier one. What another instance tells meanwhile of somebody whose event still
/// waits here is told again behind it: else an event that was held up would be the last word on the user, and wrong.
struct PresenceBacklog {
    /// One edge between online and offline, as others see it.
    struct Entry {
        var tag: UInt64
        var presence: UserPresence
        var at: Timestamp
        var isOnline: Bool { presence.status.isOnline }
    }

    static let batchSize = 256

    private let capacity: Int
    private var waiting: [Entry] = []
    /// Where the oldest is; what is before it was dropped or confirmed.
    private var head = 0
    private var lastTag: UInt64 = 0
    /// The newest tag waiting of each user.
    private var newest: [UserID: UInt64] = [:]
    /// How users stand by the word of others whose own events wait here.
    private var overtaken: [UserID: UserPresence] = [:]
    /// Events under way, from the front, and those of them without an answer.
    private var batch = 0
    private var unanswered: Set<UInt64> = []
    private var firstRefused: UInt64?

    /// - Parameter capacity: events that may wait beside those under way; past that the oldest goes.
    init(capacity: Int = 100_000) { self.capacity = capacity }

    var count: Int { waiting.count - head }
    var isSending: Bool { batch > 0 }

    /// Takes an edge of this instance's.
    ///
    /// - Returns: whether an older event had to go.
    mutating func add(_ presence: UserPresence, at now: Timestamp) -> Bool {
        overtaken[presence.user.userID] = nil
        let isFull = count - batch >= capacity
        if isFull { drop() }
        lastTag += 1
        newest[presence.user.userID] = lastTag
        waiting.append(Entry(tag: lastTag, presence: presence, at: now))
        return isFull
    }

    /// Hears of an edge that another instance publishes.
    mutating func hear(_ presence: UserPresence) {
        let user = presence.user.userID
        if newest[user] != nil { overtaken[user] = presence }
    }

    private mutating func drop() {
        let entry = waiting[head + batch]
        // What is under way moves up by one, into the place of the one that goes.
        for index in stride(from: head + batch, to: head, by: -1) { waiting[index] = waiting[index - 1] }
        head += 1
        forget(entry)
        compact()
    }

    private mutating func forget(_ entry: Entry) {
        let user = entry.presence.user.userID
        guard newest[user] == entry.tag else { return }
        newest[user] = nil
        overtaken[user] = nil
    }

    private mutating func compact() {
        guard head > 1024, head > waiting.count / 2 else { return }
        waiting.removeFirst(head)
        head = 0
    }

    /// What to send now; nothing while a batch is under way.
    mutating func next() -> [Entry] {
        guard batch == 0, count > 0 else { return [] }
        let entries = Array(waiting[head..<min(head + Self.batchSize, waiting.count)])
        batch = entries.count
        unanswered = Set(entries.map(\.tag))
        firstRefused = nil
        return entries
    }

    /// What became of the batch under way is not known: all of it goes again.
    mutating func lose() {
        batch = 0
        unanswered = []
    }

    enum Outcome {
        /// Some of the batch has no answer yet.
        case underWay
        case done
        /// Not all of it was taken; the rest goes again after a pause.
        case refused
    }

    mutating func receivedOutcome(_ tag: UInt64, isConfirmed: Bool, at now: Timestamp) -> Outcome {
        guard batch > 0, unanswered.remove(tag) != nil else { return .underWay }
        if !isConfirmed { firstRefused = min(firstRefused ?? tag, tag) }
        guard unanswered.isEmpty else { return .underWay }
        let sent = waiting[head..<(head + batch)]
        let confirmed = Array(sent.prefix { $0.tag < firstRefused ?? .max })
        head += confirmed.count
        batch = 0
        for entry in confirmed { conclude(entry, at: now) }
        compact()
        return firstRefused == nil ? .done : .refused
    }

    /// The last event of a user is out: is it also how the user stands?
    private mutating func conclude(_ entry: Entry, at now: Timestamp) {
        let user = entry.presence.user.userID
        guard newest[user] == entry.tag else { return }
        newest[user] = nil
        guard let presence = overtaken.removeValue(forKey: user), presence.status.isOnline != entry.isOnline else {
            return
        }
        _ = add(presence, at: now)
    }
}
