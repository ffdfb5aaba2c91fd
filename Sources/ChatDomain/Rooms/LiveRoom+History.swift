/// What a joining session asks to be shown.
public struct HistoryWish: Hashable, Sendable {
    /// Most messages a resume replays; with more missing the client starts over from the newest.
    public static let replayLimit: SequenceNumber = 1000

    /// Everything after this number; nil for the newest.
    public var since: SequenceNumber?
    /// How many of the newest, 1–1000.
    public var limit: Int
    /// What was missed comes message by message, as it would have come live, and not as history.
    public var asMessages: Bool

    public init(since: SequenceNumber? = nil, limit: Int = HistoryQuery.defaultLimit, asMessages: Bool = false) {
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
    public mutating func view(_ wish: HistoryWish, page: HistoryPage? = nil) -> ViewResult {
        let last = lastSequence
        let base = room.historyBase
        var start = max(base, last - SequenceNumber(wish.limit))
        var needsResync = false
        if let since = wish.since {
            // A mark beyond the newest comes from another life of this room.
            let known = since > last ? nil : max(since, base)
            if let known, last - known <= HistoryWish.replayLimit { start = known } else { needsResync = true }
        }
        if let page { keep(page) }
        if let kept = tail.after(start, upTo: last) { return .view(view(Array(kept), needsResync)) }
        if let page, let joined = join(page, after: start) { return .view(view(joined, needsResync)) }
        // Read a little more than asked for, so that the next who join find it in memory.
        return .read(HistoryQuery(.after(start), limit: Int(min(last - start, HistoryWish.replayLimit)), base: base))
    }

    /// A page that reaches the tail becomes part of it, as far as the tail's size allows.
    private mutating func keep(_ page: HistoryPage) {
        let delivered = page.messages.filter { $0.sequence <= lastSequence }
        guard delivered.count <= MessageTail.capacity else { return }
        guard tail.first != nil || delivered.last?.sequence == lastSequence else { return }
        tail.prepend(delivered)
    }

    /// The page's messages after `start`, followed by the tail's; nil when something between them is missing.
    private func join(_ page: HistoryPage, after start: SequenceNumber) -> [Message]? {
        let read = page.messages.filter { $0.sequence > start && $0.sequence <= lastSequence }
        guard let lastRead = read.last?.sequence, read.first?.sequence == start + 1 else { return nil }
        return tail.after(lastRead, upTo: lastSequence).map { read + $0 }
    }

    /// Users present, as many as a list shows.
    private var users: [RoomUser] {
        let here = members.list(limit: limits.announcedUsers)
        guard !remote.isEmpty, here.count < limits.announcedUsers else { return here }
        return here + remote.list(limit: limits.announcedUsers - here.count) { !members.contains($0) }
    }

    private func view(_ messages: [Message], _ needsResync: Bool) -> RoomView {
        RoomView(
            messages: messages, state: state, users: users,
            needsResync: needsResync)
    }
}
