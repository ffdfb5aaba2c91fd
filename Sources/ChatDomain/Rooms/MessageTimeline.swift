/// The log of a room in its order: which entries were delivered, which are missing, and the newest of them, kept in memory.
struct MessageTimeline: Sendable {
    /// How long missing entries have to come by themselves before the store is asked for them.
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

    /// Takes entries, and returns those to deliver now, in order.
    mutating func admit(_ entries: [RoomLogEntry], at now: Moment) -> [RoomLogEntry] {
        let ready = gate.admit(entries)
        append(ready, at: now)
        return ready
    }

    private mutating func append(_ ready: [RoomLogEntry], at now: Moment) {
        for entry in ready { tail.append(entry) }
        scheduleRepair(at: now)
    }

    /// Learns that entries up to this number exist.
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

    /// Takes what the store has behind the number that `takeRepair` named, and returns the entries to deliver now.
    ///
    /// - Parameter reachedEnd: these are all the store has. A number announced before it was asked and missing among them does not
    ///   exist, and is waited for no longer.
    mutating func repair(with entries: [RoomLogEntry], reachedEnd: Bool, at now: Moment) -> [RoomLogEntry] {
        isRepairing = false
        let ready = gate.admit(entries)
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

    /// Forgets what messages say. They are read from the store when they are asked for.
    mutating func forgetContent() { tail = MessageTail(after: gate.delivered) }

    /// Whether a number that was delivered here was given to another entry now.
    func contradicts(_ entry: RoomLogEntry) -> Bool {
        guard entry.sequence <= gate.delivered else { return false }
        return tail.id(of: entry.sequence).map { $0 != entry.id } ?? false
    }

    // MARK: Showing

    enum Excerpt {
        /// - `changed`: messages that the session has seen before and that changed since.
        /// - `needsResync`: more is missing than a resume replays, so these are the newest instead.
        case messages([Message], changed: [Message], needsResync: Bool)
        /// Read this from the store and ask again with the page.
        case read(ViewQuery)
    }

    /// The messages a joining session is shown, complete up to `lastSequence`.
    ///
    /// - Parameters:
    ///   - page: what was read, if anything; it is joined with what was delivered meanwhile.
    ///   - base: messages numbered at or below this are unreachable.
    mutating func excerpt(for history: HistoryRequest, _ page: ViewPage?, base: SequenceNumber) -> Excerpt {
        // Where more came during the read than is kept, what it lacks is not known.
        let page = page.flatMap { $0.delivered >= max(tail.floor, tail.changesFloor) ? $0 : nil }
        if let page { keep(page) }
        guard let since = history.since else {
            return newest(history.limit, page, base: base, needsResync: false)
        }
        return replay(after: since, page, base: base) ?? newest(history.limit, page, base: base, needsResync: true)
    }

    /// Everything after a number; nil when that is more than a resume replays, in messages or in bytes.
    private func replay(after since: SequenceNumber, _ page: ViewPage?, base: SequenceNumber) -> Excerpt? {
        // A number beyond the newest comes from another life of this room.
        guard since <= lastSequence else { return nil }
        let start = max(since, base)
        if let changed = tail.changed(after: start) {
            return Self.replay(Array(tail.messages(after: start)), changed.filter { $0.sequence > base })
        }
        let query = ViewQuery(
            history: HistoryQuery(.after(start), limit: HistoryRequest.replayLimit, base: base),
            changes: ChangesQuery(after: start, upTo: start, limit: HistoryRequest.replayLimit, base: base))
        guard let page else { return .read(query) }
        // The newest were read because all of them were too many.
        guard page.query.changes != nil else { return nil }
        guard page.query == query else { return .read(query) }
        guard !page.history.hasMoreAfter, !page.changed.hasMore else { return nil }
        guard let changed = completed(page.changed.messages, page, upTo: start) else { return .read(query) }
        let read = page.history.messages.filter { $0.sequence <= tail.floor }
        return Self.replay(
            tail.bringUpToDate(read, from: page.delivered) + tail.messages(after: max(start, tail.floor)), changed)
    }

    private static func replay(_ messages: [Message], _ changed: [Message]) -> Excerpt? {
        guard messages.count + changed.count <= HistoryRequest.replayLimit else { return nil }
        var budget = PageBudget()
        guard messages.allSatisfy({ budget.takes($0.encodedBytes) }),
            changed.allSatisfy({ budget.takes($0.encodedBytes) })
        else { return nil }
        return .messages(messages, changed: changed, needsResync: false)
    }

    /// Changed messages that were read, with what changed during the read; nil where one of those is not kept.
    private func completed(_ read: [Message], _ page: ViewPage, upTo start: SequenceNumber) -> [Message]? {
        var changed = tail.bringUpToDate(read, from: page.delivered)
        var known = Set(changed.map(\.id))
        for change in tail.changes where change.sequence > page.delivered && change.messageSequence <= start {
            guard known.insert(change.messageID).inserted else { continue }
            guard let message = tail.message(change.messageSequence) else { return nil }
            changed.append(message)
        }
        return changed.sorted { $0.changeSequence < $1.changeSequence }
    }

    /// The newest, as many as asked for and as fit on a page.
    private func newest(_ limit: Int, _ page: ViewPage?, base: SequenceNumber, needsResync: Bool) -> Excerpt {
        let kept = tail.messages(after: base)
        if kept.count >= limit || tail.floor <= base {
            return .messages(kept.suffix(limit).newestPage(), changed: [], needsResync: needsResync)
        }
        if let page, page.query.changes == nil, page.history.isFull || page.query.history.limit >= limit {
            let read = page.history.messages.filter { $0.sequence <= tail.floor }
            let messages = tail.bringUpToDate(read, from: page.delivered) + kept
            return .messages(messages.suffix(limit).newestPage(), changed: [], needsResync: needsResync)
        }
        return .read(ViewQuery(history: HistoryQuery(.before(lastSequence + 1), limit: limit, base: base)))
    }

    /// A page that reaches the tail becomes part of it, as far as the tail's size allows.
    private mutating func keep(_ page: ViewPage) {
        let start: SequenceNumber
        switch page.query.history.cursor {
        // All that is behind the cursor, where the page has no end before the tail.
        case .after(let cursor) where !page.history.hasMoreAfter: start = cursor
        case .before(let cursor):
            start =
                page.history.hasMoreBefore
                ? (page.history.messages.first?.sequence ?? cursor) - 1 : page.query.history.base
        default: return
        }
        let read = page.history.messages.filter { $0.sequence <= tail.floor }
        guard read.count <= MessageTail.capacity else { return }
        let isUnchanged = page.query.changes?.after == start && page.changed == ChangesPage()
        tail.prepend(
            tail.bringUpToDate(read, from: page.delivered), after: start, upTo: page.delivered,
            isUnchangedBefore: isUnchanged)
    }
}
