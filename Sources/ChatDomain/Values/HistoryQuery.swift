/// Which part of a room's history is asked for. Cursors are sequence numbers.
public struct HistoryQuery: Hashable, Sendable {
    public enum Cursor: Hashable, Sendable {
        /// The newest messages.
        case latest
        /// The newest messages numbered below this.
        case before(SequenceNumber)
        /// The oldest messages numbered above this.
        case after(SequenceNumber)
        /// This message in the middle: half the limit up to and including it, the rest after it.
        case around(SequenceNumber)
    }

    public static let limits = 1...1000
    public static let defaultLimit = 50

    public var cursor: Cursor
    /// 1–1000.
    public var limit: Int
    /// Messages at or below this are unreachable (`Room.historyBase`).
    public var base: SequenceNumber

    public init(_ cursor: Cursor, limit: Int = HistoryQuery.defaultLimit, base: SequenceNumber = 0) {
        self.cursor = cursor
        self.limit = limit
        self.base = base
    }

    /// Whether the page depends on what comes after `newest`.
    public func mayReachEnd(of newest: SequenceNumber) -> Bool {
        switch cursor {
        case .latest, .around, .after: true
        case .before(let cursor): cursor > newest
        }
    }
}

/// A page of history, oldest first.
public struct HistoryPage: Hashable, Sendable {
    /// Bytes of JSON on a page, but for its first message, which may be larger. With what goes around it a page is one frame of
    /// less than 1 MiB, the most that some clients take.
    public static let maximumBytes = 896 * 1024

    public var messages: [Message]
    /// There are reachable messages older than the page's first.
    public var hasMoreBefore: Bool
    /// There are messages newer than the page's last.
    public var hasMoreAfter: Bool
    /// It was full before it held as many messages as asked for.
    public var isFull: Bool

    public init(messages: [Message], hasMoreBefore: Bool, hasMoreAfter: Bool, isFull: Bool = false) {
        self.messages = messages
        self.hasMoreBefore = hasMoreBefore
        self.hasMoreAfter = hasMoreAfter
        self.isFull = isFull
    }

    /// More in the direction the cursor asked for: newer for `after`, else older.
    public func hasMore(for cursor: HistoryQuery.Cursor) -> Bool {
        if case .after = cursor { hasMoreAfter } else { hasMoreBefore }
    }
}
