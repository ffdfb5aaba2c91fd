/// A joining session's request for history.
public struct HistoryRequest: Hashable, Sendable {
    /// Most messages a resume replays, new and changed ones together; with more missing the client starts over from the newest.
    public static let replayLimit = 1000

    /// Everything after this number; nil for the newest.
    public var since: SequenceNumber?
    /// How many of the newest, 1–1000.
    public var limit: Int
    /// Missed messages come one by one, as they would have come live, and not as history.
    public var asMessages: Bool
    /// Whether the answer to the request holds all of it too, so that a client with several joins under way knows which is
    /// which.
    public var isAnswered = false
    /// The users that may be shown.
    public var visible: VisibleUsers

    public init(
        since: SequenceNumber? = nil, limit: Int = HistoryQuery.defaultLimit, asMessages: Bool = false,
        visible: VisibleUsers = .everybody
    ) {
        self.visible = visible
        self.since = since
        self.limit = limit
        self.asMessages = asMessages
    }
}

/// The view of a room for a joining session: it is complete up to `state.lastSequence`, and live delivery continues after that.
public struct RoomView: Sendable {
    public var messages: [Message]
    /// Messages the session has seen before and that changed since, in the order of their last changes.
    public var changed: [Message]
    public var state: RoomState
    public var users: [RoomUser]
    /// The newest read marks, the furthest first.
    public var readMarks: [ReadMark]
    /// More is missing than a resume replays, so `messages` are the newest instead.
    public var needsResync: Bool
}

/// What is read from the store for a joining session.
public struct ViewQuery: Hashable, Sendable {
    public var history: HistoryQuery
    /// Which changed messages; nil for none.
    public var changes: ChangesQuery?

    public init(history: HistoryQuery, changes: ChangesQuery? = nil) {
        self.history = history
        self.changes = changes
    }
}

/// What was read.
public struct ViewPage: Sendable {
    public var query: ViewQuery
    /// The number delivered last when it was asked for: the page has everything up to it.
    public var delivered: SequenceNumber
    public var history: HistoryPage
    public var changed: ChangesPage

    public init(query: ViewQuery, delivered: SequenceNumber, history: HistoryPage, changed: ChangesPage) {
        self.query = query
        self.delivered = delivered
        self.history = history
        self.changed = changed
    }
}

extension LiveRoom {
    public var state: RoomState {
        RoomState(roomID: room.id, lastSequence: lastSequence, members: participants.count, online: online)
    }

    /// - Parameter visible: the users to count as present.
    public func info(by user: UserID?, showing visible: VisibleUsers = .everybody) -> RoomInfo {
        RoomInfo(
            room: room, state: state(showing: visible), authority: authority, refusal: refusal(of: user),
            participants: participants.count <= RoomInfo.participantLimit ? participants : nil)
    }

    public enum ViewResult: Sendable {
        case view(RoomView)
        /// Read this from the store and ask again with the page.
        case read(ViewQuery)
    }
}
