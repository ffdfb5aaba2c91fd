/// The messages of a room in their order: which were delivered, which are missing, and the newest of them, kept in memory.
struct MessageTimeline: Sendable {
    /// How long missing messages have to come by themselves before the store is asked for them.
    static let repairDelay: Duration = .milliseconds(150)

    private var gate: SequenceGate
    private var tail: MessageTail
    private(set) var repairDue: Moment?
    /// The store is being asked for what is missing.
    private var isRepairing = false
    /// The newest number known when the store was last asked.
    private var newestAtRepair: SequenceNumber = 0

    /// - Parameter last: the newest number there is.
    init(after last: SequenceNumber) {
        gate = SequenceGate(delivered: last)
        tail = MessageTail(after: last)
    }

    /// Everything up to here was delivered.
    var lastSequence: SequenceNumber { gate.delivered }

    /// Nothing is missing.
    var isWhole: Bool { !gate.hasHole && !isRepairing }

    // MARK: Delivering

    /// Takes messages, and returns those to deliver now, in order.
    mutating func admit(_ messages: [Message], at now: Moment) -> [Message] {
        let ready = gate.admit(messages)
        append(ready, at: now)
        return ready
    }

    private mutating func append(_ ready: [Message], at now: Moment) {
        for message in ready { tail.append(message) }
        scheduleRepair(at: now)
    }

    /// Learns that messages up to this number exist.
    mutating func announce(_ sequence: SequenceNumber, at now: Moment) {
        gate.announce(sequence)
        scheduleRepair(at: now)
    }

    /// The number behind which the store is to be asked for what is missing; nil when there is nothing to ask now.
    mutating func takeRepair(at now: Moment) -> SequenceNumber? {
        guard let due = repairDue, due <= now else { return nil }
        repairDue = nil
        guard gate.hasHole else { return nil }
        isRepairing = true
        newestAtRepair = gate.newest
        return gate.delivered
    }

    /// Takes what the store has behind the number that `takeRepair` named, and returns the messages to deliver now.
    ///
    /// - Parameter reachedEnd: these are all the store has. A number announced before it was asked and missing among them does not
    ///   exist, and is waited for no longer.
    mutating func repair(with messages: [Message], reachedEnd: Bool, at now: Moment) -> [Message] {
        isRepairing = false
        let ready = gate.admit(messages)
        if reachedEnd { gate.forgetMissing(upTo: newestAtRepair) }
        append(ready, at: now)
        return ready
    }

    private mutating func scheduleRepair(at now: Moment) {
        guard gate.hasHole else { return repairDue = nil }
        if repairDue == nil, !isRepairing { repairDue = now + Self.repairDelay }
    }

    /// Forgets what is numbered above `sequence`; false where nothing is.
    mutating func rewind(to sequence: SequenceNumber) -> Bool {
        guard sequence < gate.delivered else { return false }
        gate = SequenceGate(delivered: sequence)
        tail = MessageTail(after: sequence)
        (repairDue, newestAtRepair) = (nil, 0)
        return true
    }

    /// Whether a number that was delivered here was given to another message now.
    func contradicts(_ message: Message) -> Bool {
        guard message.sequence <= gate.delivered else { return false }
        return tail.message(message.sequence).map { $0.id != message.id } ?? false
    }

    // MARK: Showing

    enum Excerpt {
        /// - `needsResync`: more is missing than a resume replays, so these are the newest instead.
        case messages([Message], needsResync: Bool)
        /// Read this from the store and ask again with the page.
        case read(HistoryQuery)
    }

    /// The messages a joining session is shown, complete up to `lastSequence`.
    ///
    /// - Parameters:
    ///   - page: what was read, if anything; it is joined with what was delivered meanwhile.
    ///   - query: what the page answers.
    ///   - base: messages numbered at or below this are unreachable.
    mutating func excerpt(
        for history: HistoryRequest, _ page: HistoryPage?, answering query: HistoryQuery?, base: SequenceNumber
    ) -> Excerpt {
        if let page { keep(page, answering: query) }
        guard let since = history.since else {
            return newest(history.limit, page, answering: query, base: base, needsResync: false)
        }
        return replay(after: since, page, answering: query, base: base)
            ?? newest(history.limit, page, answering: query, base: base, needsResync: true)
    }

    /// Everything after a number; nil when that is more than a resume replays, in messages or in bytes.
    private func replay(
        after since: SequenceNumber, _ page: HistoryPage?, answering query: HistoryQuery?, base: SequenceNumber
    ) -> Excerpt? {
        let last = lastSequence
        // A number beyond the newest comes from another life of this room.
        guard since <= last else { return nil }
        let start = max(since, base)
        guard last - start <= HistoryRequest.replayLimit else { return nil }
        if let kept = tail.after(start, upTo: last) {
            return kept.fitsPage ? .messages(Array(kept), needsResync: false) : nil
        }
        // The newest were read because all of them were too many bytes.
        if case .before = query?.cursor { return nil }
        if let page, page.isFull { return nil }
        if let page, let joined = join(page, answering: query, after: start) {
            return joined.fitsPage ? .messages(joined, needsResync: false) : nil
        }
        return .read(HistoryQuery(.after(start), limit: Int(last - start), base: base))
    }

    /// The newest, as many as asked for and as fit on a page.
    private func newest(
        _ limit: Int, _ page: HistoryPage?, answering query: HistoryQuery?, base: SequenceNumber, needsResync: Bool
    ) -> Excerpt {
        let last = lastSequence
        let start = max(base, last - SequenceNumber(limit))
        if let kept = tail.after(start, upTo: last) {
            return .messages(kept.newestPage(), needsResync: needsResync)
        }
        if let page, let joined = join(page, answering: query, after: start) {
            return .messages(joined.newestPage(), needsResync: needsResync)
        }
        return .read(HistoryQuery(.before(last + 1), limit: Int(last - start), base: base))
    }

    /// The numbers of which a page holds all the messages there are: those above `start`, up to `end`. A number between them
    /// that is missing in the page is missing in the store too.
    private static func span(
        of page: HistoryPage, answering query: HistoryQuery?
    ) -> (start: SequenceNumber, end: SequenceNumber) {
        let (first, last) = (page.messages.first?.sequence, page.messages.last?.sequence)
        guard let query else { return ((first ?? 1) - 1, last ?? 0) }
        let limit = SequenceNumber(query.limit)
        switch query.cursor {
        case .after(let start):
            // Where there is more behind it, it may have ended before the number that was asked for.
            return (start, page.isFull || page.hasMoreAfter ? last ?? start : start + limit)
        case .before(let cursor): return (page.isFull ? (first ?? cursor) - 1 : cursor - 1 - limit, cursor - 1)
        case .latest, .around: return ((first ?? 1) - 1, last ?? 0)
        }
    }

    /// A page that reaches the tail becomes part of it, as far as the tail's size allows.
    private mutating func keep(_ page: HistoryPage, answering query: HistoryQuery?) {
        let delivered = page.messages.filter { $0.sequence <= lastSequence }
        guard delivered.count <= MessageTail.capacity else { return }
        let span = Self.span(of: page, answering: query)
        tail.prepend(delivered, after: span.start, upTo: min(span.end, lastSequence))
    }

    /// The page's messages after `start`, followed by the tail's; nil when something between them is missing, or before them
    /// that would have fitted on the page.
    private func join(
        _ page: HistoryPage, answering query: HistoryQuery?, after start: SequenceNumber
    ) -> [Message]? {
        let span = Self.span(of: page, answering: query)
        guard page.isFull || span.start <= start else { return nil }
        let end = min(span.end, lastSequence)
        let read = page.messages.filter { $0.sequence > start && $0.sequence <= end }
        return tail.after(end, upTo: lastSequence).map { read + $0 }
    }
}
