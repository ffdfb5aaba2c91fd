/// Which changed messages of a room are asked for.
public struct ChangesQuery: Hashable, Sendable {
    /// Messages whose last change is numbered above this.
    public var after: SequenceNumber
    /// Only messages that are themselves numbered at or below this; nil for all.
    public var upTo: SequenceNumber?
    /// 1–1000.
    public var limit: Int
    /// Messages at or below this are unreachable (`Room.historyBase`).
    public var base: SequenceNumber

    public init(
        after: SequenceNumber, upTo: SequenceNumber? = nil, limit: Int = HistoryQuery.limits.upperBound,
        base: SequenceNumber = 0
    ) {
        self.after = after
        self.upTo = upTo
        self.limit = limit
        self.base = base
    }
}

/// Changed messages as they are now, each once, in the order of their last changes. Bounded in bytes like a page of history.
public struct ChangesPage: Hashable, Sendable {
    public var messages: [Message]
    /// Messages with later changes were left out.
    public var hasMore: Bool

    public init(messages: [Message] = [], hasMore: Bool = false) {
        self.messages = messages
        self.hasMore = hasMore
    }
}

/// A part of a room's log, in order and without holes. Bounded in bytes like a page of history.
public struct RoomLogPage: Hashable, Sendable {
    public var entries: [RoomLogEntry]
    /// There are entries behind the last one.
    public var hasMore: Bool

    public init(entries: [RoomLogEntry] = [], hasMore: Bool = false) {
        self.entries = entries
        self.hasMore = hasMore
    }
}
