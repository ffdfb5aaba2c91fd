/// What a joining session asks to be shown.
public struct HistoryRequest: Hashable, Sendable {
    /// Most messages a resume replays; with more missing the client starts over from the newest.
    public static let replayLimit: SequenceNumber = 1000

    /// Everything after this number; nil for the newest.
    public var since: SequenceNumber?
    /// How many of the newest, 1–1000.
    public var limit: Int
    /// What was missed comes message by message, as it would have come live, and not as history.
    public var asMessages: Bool
    /// Whether the answer to the request holds all of it too, so that a client with several joins under way knows which is
    /// which.
    public var isAnswered = false
    /// The only users who may be shown; nil for everybody.
    public var visible: Set<UserID>?

    public init(
        since: SequenceNumber? = nil, limit: Int = HistoryQuery.defaultLimit, asMessages: Bool = false,
        visible: Set<UserID>? = nil
    ) {
        self.visible = visible
        self.since = since
        self.limit = limit
        self.asMessages = asMessages
    }
}

/// What a joining session is shown: it is complete up to `lastSequence`, and live delivery goes on after that.
public struct RoomView: Sendable {
    public var messages: [Message]
    public var state: RoomState
    public var users: [RoomUser]
    /// The newest read marks, the furthest first.
    public var readMarks: [ReadMark]
    /// More is missing than a resume replays, so `messages` are the newest instead.
    public var needsResync: Bool
}

extension LiveRoom {
    public enum ViewResult: Sendable {
        case view(RoomView)
        /// Read this from the store and ask again with the page.
        case read(HistoryQuery)
    }

    /// Builds what a joining session sees. The page, if one was read, is joined with what was delivered meanwhile.
    ///
    /// - Parameter query: what the page answers.
    public mutating func view(
        _ history: HistoryRequest, page: HistoryPage? = nil, answering query: HistoryQuery? = nil
    ) -> ViewResult {
        if let page { keep(page, answering: query) }
        guard let since = history.since else { return newest(history, page, answering: query, needsResync: false) }
        return replay(history, after: since, page, answering: query)
            ?? newest(history, page, answering: query, needsResync: true)
    }

    /// Everything after a number; nil when that is more than a resume replays, in messages or in bytes.
    private func replay(
        _ history: HistoryRequest, after since: SequenceNumber, _ page: HistoryPage?, answering query: HistoryQuery?
    ) -> ViewResult? {
        let (base, last) = (room.historyBase, lastSequence)
        // A mark beyond the newest comes from another life of this room.
        guard since <= last else { return nil }
        let start = max(since, base)
        guard last - start <= HistoryRequest.replayLimit else { return nil }
        if let kept = tail.after(start, upTo: last) {
            return kept.fitsPage ? .view(view(Array(kept), needsResync: false, showing: history.visible)) : nil
        }
        // The newest were read because all of them were too many bytes.
        if case .before = query?.cursor { return nil }
        if let page, page.isFull { return nil }
        if let page, let joined = join(page, answering: query, after: start) {
            return joined.fitsPage ? .view(view(joined, needsResync: false, showing: history.visible)) : nil
        }
        return .read(HistoryQuery(.after(start), limit: Int(last - start), base: base))
    }

    /// The newest, as many as asked for and as fit on a page.
    private func newest(
        _ history: HistoryRequest, _ page: HistoryPage?, answering query: HistoryQuery?, needsResync: Bool
    ) -> ViewResult {
        let (base, last) = (room.historyBase, lastSequence)
        let start = max(base, last - SequenceNumber(history.limit))
        if let kept = tail.after(start, upTo: last) {
            return .view(view(kept.newestPage(), needsResync: needsResync, showing: history.visible))
        }
        if let page, let joined = join(page, answering: query, after: start) {
            return .view(view(joined.newestPage(), needsResync: needsResync, showing: history.visible))
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

    /// The room in numbers.
    ///
    /// - Parameter visible: the only users to count; nil for everybody.
    public func state(showing visible: Set<UserID>?) -> RoomState {
        var state = state
        if let visible { state.online = visible.count { shown($0) != nil } }
        return state
    }

    private func shown(_ user: UserID) -> RoomUser? {
        hidden.contains(user) ? nil : members.user(user) ?? remote.user(user)
    }

    /// Users present, as many as a list shows.
    private func users(_ visible: Set<UserID>?) -> [RoomUser] {
        if let visible { return Array(visible.lazy.compactMap { shown($0) }.prefix(limits.announcedUsers)) }
        let here = members.list(limit: limits.announcedUsers, except: hidden)
        guard !remote.isEmpty, here.count < limits.announcedUsers else { return here }
        return here + remote.list(limit: limits.announcedUsers - here.count) { !members.contains($0) }
    }

    private func view(_ messages: [Message], needsResync: Bool, showing visible: Set<UserID>?) -> RoomView {
        RoomView(
            messages: messages, state: state(showing: visible), users: users(visible), readMarks: readMarks.newest,
            needsResync: needsResync)
    }
}
