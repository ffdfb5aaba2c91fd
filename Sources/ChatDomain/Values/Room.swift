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
    /// Display name; nil where nobody gave one.
    public var name: String?
    /// Who may rename, delete and manage participants; nil for rooms that came to exist by a join.
    public var owner: UserID?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    /// Messages numbered at or below this belong to an earlier room of the same id and are unreachable.
    public var historyBase: SequenceNumber

    public init(
        id: RoomID, kind: Kind, isPrivate: Bool, name: String? = nil, owner: UserID? = nil, createdAt: Timestamp,
        updatedAt: Timestamp? = nil, historyBase: SequenceNumber = 0
    ) {
        self.id = id
        self.kind = kind
        self.isPrivate = isPrivate
        self.name = name
        self.owner = owner
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
        self.historyBase = historyBase
    }
}

/// A room with what an instance must know to serve it.
public struct RoomSnapshot: Hashable, Sendable {
    public var room: Room
    public var participants: Set<UserID>
    /// The newest stored number, 0 for none; never below `room.historyBase`.
    public var lastSequence: SequenceNumber

    public init(room: Room, participants: Set<UserID>, lastSequence: SequenceNumber) {
        self.room = room
        self.participants = participants
        self.lastSequence = lastSequence
    }
}

/// A room in one user's list.
public struct RoomSummary: Hashable, Sendable {
    public var snapshot: RoomSnapshot
    public var lastMessage: Message?
    /// The user's own read mark, 0 for none.
    public var lastReadSequence: SequenceNumber

    public init(snapshot: RoomSnapshot, lastMessage: Message?, lastReadSequence: SequenceNumber) {
        self.snapshot = snapshot
        self.lastMessage = lastMessage
        self.lastReadSequence = lastReadSequence
    }

    /// Messages after the read mark (or, unread so far, all that are reachable).
    public var unread: Int {
        Int(max(0, snapshot.lastSequence - max(lastReadSequence, snapshot.room.historyBase)))
    }
}
