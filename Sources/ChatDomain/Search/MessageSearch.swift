/// A search over messages: for whom, and for what.
public struct MessageSearch: Hashable, Sendable {
    public static let limits = 1...100
    public static let defaultLimit = 20

    public var query: SearchQuery
    /// Only messages of rooms that this user may read are found.
    public var reader: UserID
    /// Now: bans that are over by then count no more.
    public var time: Timestamp
    /// Only messages of this room, which the reader may read: the caller has asked the room. nil for all rooms.
    public var room: RoomID?
    public var author: UserID?
    /// Only messages of this type.
    public var kind: String?
    public var cursor: SearchCursor?
    /// 1–100.
    public var limit: Int

    public init(
        _ query: SearchQuery, reader: UserID, at time: Timestamp, room: RoomID? = nil, author: UserID? = nil,
        kind: String? = nil,
        cursor: SearchCursor? = nil, limit: Int = MessageSearch.defaultLimit
    ) {
        self.query = query
        self.reader = reader
        self.time = time
        self.room = room
        self.author = author
        self.kind = kind
        self.cursor = cursor
        self.limit = min(max(limit, Self.limits.lowerBound), Self.limits.upperBound)
    }

    /// Whether a message that was found by its words is one that is looked for.
    package func accepts(_ message: Message) -> Bool {
        if let author, message.body.author != author { return false }
        if let kind, !message.body.kind.hasSameBytes(as: kind) { return false }
        return query.highlights(in: message.body.text) != nil
    }
}

/// Where a page of results ended. Only the store that made it can read it.
public struct SearchCursor: Hashable, Sendable {
    public static let maximumCharacters = 64

    public let text: String
    public init(_ text: String) { self.text = text }
}

/// Results, newest first.
public struct SearchPage: Hashable, Sendable {
    public var messages: [Message]
    /// nil where everything was looked through. A page may hold fewer messages than asked for, even none, and have a cursor: then
    /// the store has looked through as much as one call may cost.
    public var cursor: SearchCursor?

    public init(messages: [Message], cursor: SearchCursor?) {
        self.messages = messages
        self.cursor = cursor
    }
}

/// Gathers the results of one search.
package struct SearchResults {
    package private(set) var messages: [Message] = []
    private let limit: Int
    private var budget = PageBudget()

    package init(limit: Int) { self.limit = limit }

    /// False where the page holds as many results as were asked for, or as it can carry: then there is another page.
    package mutating func take(_ message: Message) -> Bool {
        guard messages.count < limit, budget.takes(message.encodedBytes) else { return false }
        messages.append(message)
        return true
    }
}
