/// A room as the store keeps it.
public struct Room: Hashable, Sendable {
    public enum Kind: String, Sendable {
        /// Exactly two participants; id `direct:<a>:<b>`.
        case direct
        case group
    }

    public var id: RoomID
    public var kind: Kind
    public var isPrivate: Bool
    /// Display name; nil where none was given.
    public var name: String?
    /// The user that may rename, delete and manage participants; nil for rooms that came to exist by a join.
    public var owner: UserID?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    /// Whether only the owner and moderators send.
    public var isReadOnly: Bool
    /// The time that a member has to wait between two messages, in seconds; 0 for none.
    public var slowModeSeconds: Int
    /// After how many days messages are removed: 0 for never, nil for what holds in the deployment.
    public var retentionDays: Int?
    /// Messages numbered at or below this belong to an earlier room of the same id and are unreachable.
    public var historyBase: SequenceNumber

    public init(
        id: RoomID, kind: Kind, isPrivate: Bool, name: String? = nil, owner: UserID? = nil, createdAt: Timestamp,
        updatedAt: Timestamp? = nil, isReadOnly: Bool = false, slowModeSeconds: Int = 0, retentionDays: Int? = nil,
        historyBase: SequenceNumber = 0
    ) {
        self.id = id
        self.kind = kind
        self.isPrivate = isPrivate
        self.name = name
        self.owner = owner
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
        self.isReadOnly = isReadOnly
        self.slowModeSeconds = slowModeSeconds
        self.retentionDays = retentionDays
        self.historyBase = historyBase
    }
}

/// An owner's changes of a room. A field that is nil stays as it is.
public struct RoomRevision: Hashable, Sendable {
    /// `.some(nil)` takes the name away.
    public var name: String??
    /// Whether only participants may come in; for groups.
    public var isPrivate: Bool?
    /// Whether only the owner and moderators send; for groups, like the fields below.
    public var isReadOnly: Bool?
    /// Within `slowModes`.
    public var slowModeSeconds: Int?
    /// Who owns the room from now on.
    public var owner: UserID?
    /// Within `retentions`; `.some(nil)` for what holds in the deployment. For direct rooms too.
    public var retentionDays: Int??

    /// Seconds between a member's messages: up to six hours.
    public static let slowModes: ClosedRange<Int64> = 0...21_600
    /// Days that messages are kept: up to a hundred years, 0 for ever.
    public static let retentions: ClosedRange<Int64> = 0...36_500

    /// What a store has as the seconds; 0 for what they cannot be.
    public static func slowMode(_ stored: Int64?) -> Int {
        stored.flatMap { slowModes.contains($0) ? Int($0) : nil } ?? 0
    }

    /// What a store has as the days; nil for what they cannot be.
    public static func retention(_ stored: Int64?) -> Int? {
        stored.flatMap { retentions.contains($0) ? Int($0) : nil }
    }

    public init(
        name: String?? = nil, isPrivate: Bool? = nil, isReadOnly: Bool? = nil, slowModeSeconds: Int? = nil,
        owner: UserID? = nil, retentionDays: Int?? = nil
    ) {
        self.name = name
        self.isPrivate = isPrivate
        self.isReadOnly = isReadOnly
        self.slowModeSeconds = slowModeSeconds
        self.owner = owner
        self.retentionDays = retentionDays
    }
}

extension Room {
    public mutating func revise(_ revision: RoomRevision, at time: Timestamp) {
        if let name = revision.name { self.name = name }
        if let isPrivate = revision.isPrivate { self.isPrivate = isPrivate }
        if let isReadOnly = revision.isReadOnly { self.isReadOnly = isReadOnly }
        if let slowModeSeconds = revision.slowModeSeconds { self.slowModeSeconds = slowModeSeconds }
        if let owner = revision.owner { self.owner = owner }
        if let retentionDays = revision.retentionDays { self.retentionDays = retentionDays }
        updatedAt = time
    }
}

/// A room with what an instance must know to serve it.
public struct RoomSnapshot: Hashable, Sendable {
    public var room: Room
    public var participants: Set<UserID>
    /// The newest stored number, 0 for none; never below `room.historyBase`.
    public var lastSequence: SequenceNumber
    /// The newest read marks, at most `ReadMarkBoard.capacity`; none in a list of rooms.
    public var readMarks: [ReadMark]
    /// Who has which rights; nobody's in a list of rooms.
    public var authority = RoomAuthority()
    /// The newest messages, where members have to wait between two.
    public var recentMessages: [Message] = []

    public init(
        room: Room, participants: Set<UserID>, lastSequence: SequenceNumber, readMarks: [ReadMark] = []
    ) {
        self.room = room
        self.participants = participants
        self.lastSequence = lastSequence
        self.readMarks = readMarks
    }
}

/// The users a room's messages are for.
public struct RoomPeople: Hashable, Sendable {
    public var participants: Set<UserID>
    /// Messages numbered at or below this are of an earlier room of the same id, and for no user of this one.
    public var historyBase: SequenceNumber

    public init(participants: Set<UserID>, historyBase: SequenceNumber = 0) {
        self.participants = participants
        self.historyBase = historyBase
    }
}

/// A place in one user's list of rooms, which is ordered by when the rooms were last active, the latest first.
public struct RoomListCursor: Hashable, Sendable {
    /// The room's last change or its newest reachable message, whichever is later.
    public var activity: Timestamp
    public var room: RoomID

    public init(activity: Timestamp, room: RoomID) {
        self.activity = activity
        self.room = room
    }

    /// Before every room.
    public static let start = Self(activity: Timestamp(milliseconds: .max), room: RoomID(unchecked: ""))

    /// Whether this place comes before `other` in the list.
    public func precedes(_ other: Self) -> Bool {
        activity != other.activity
            ? activity > other.activity : room < other.room
    }

    /// As clients keep it; to them it is opaque.
    public var text: String { "\(activity.milliseconds):\(room.value)" }

    /// nil for a text that is no cursor.
    ///
    /// Its room may be one of an older program, whose id no client could name. The list continues behind that one too.
    public init?(text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), !parts[1].isEmpty, !parts[1].utf8.contains(0)
        else { return nil }
        self.init(activity: Timestamp(milliseconds: milliseconds), room: RoomID(unchecked: String(parts[1])))
    }
}

/// A room in one user's list.
public struct RoomSummary: Hashable, Sendable {
    public var snapshot: RoomSnapshot
    public var lastMessage: Message?
    /// The user's own read mark, 0 for none.
    public var lastReadSequence: SequenceNumber
    /// Numbers behind the mark, and behind the room's base, that are no unread messages: of changes and of deleted messages.
    public var otherNumbers: Int
    /// Messages behind the mark that mention the user.
    public var mentions: Int

    public init(
        snapshot: RoomSnapshot, lastMessage: Message?, lastReadSequence: SequenceNumber, otherNumbers: Int = 0,
        mentions: Int = 0
    ) {
        self.snapshot = snapshot
        self.lastMessage = lastMessage
        self.lastReadSequence = lastReadSequence
        self.otherNumbers = otherNumbers
        self.mentions = mentions
    }

    /// The number behind which messages are unread.
    package static func start(_ mark: SequenceNumber, in room: Room) -> SequenceNumber { max(mark, room.historyBase) }

    /// Where the room stands in the list.
    public var cursor: RoomListCursor {
        let room = snapshot.room
        return RoomListCursor(
            activity: lastMessage.map { max(room.updatedAt, $0.timestamp) } ?? room.updatedAt, room: room.id)
    }

    /// Messages after the read mark (or, unread so far, all that are reachable) that are not deleted. They are others': sending is
    /// reading.
    public var unread: Int {
        let start = Self.start(lastReadSequence, in: snapshot.room)
        return Int(max(0, snapshot.lastSequence - start - Int64(clamping: otherNumbers)))
    }
}
