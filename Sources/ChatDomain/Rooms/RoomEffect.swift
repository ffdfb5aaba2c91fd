/// One of the effects of a command on a room, which are performed in order.
public enum RoomEffect: Sendable {
    case reply(RequestOrigin, RoomReply)
    /// Fan these out to every live session of the room here, in order.
    case deliver([RoomLogEntry])
    /// This instance stored these: publish them to other instances at once.
    case publish([RoomLogEntry])
    /// Publish this to other instances.
    case share(RoomNews)
    /// Send this to every live session of the room here except those of one user.
    case announce(RoomAnnouncement, except: UserID?)
    /// Entries after this number are missing: read them from the store and pass them to `repaired`.
    case repair(after: SequenceNumber)
    /// Ask the store for the room's newest number and pass it to `didReadNewest`.
    case readNewest
    /// Sessions here have seen messages after this number that the store does not have any more: they have to begin again.
    case resync(lastSequence: SequenceNumber)
    /// The store recorded these participants after they had been put out: take them out there too.
    case unrecord([UserID])
    /// The store has the user that wants to join under this request: the join may continue.
    case enrolled(RequestOrigin)
    /// Send this read mark to the user's other sessions on all instances.
    case tellDevices(ReadMark, except: SessionAddress?)
}

public enum RoomReply: Hashable, Sendable {
    case sent(id: MessageID, sequence: SequenceNumber, timestamp: Timestamp, isDuplicate: Bool)
    case changed(ChangeReceipt)
    case done
    /// Boxed, as it is far larger than the others, and answers are copied on their way.
    indirect case info(RoomInfo)
    case refused(ChatError)
}

/// The answer to a change.
public struct ChangeReceipt: Hashable, Sendable {
    public var messageID: MessageID
    /// The change's number; nil where nothing was changed.
    public var sequence: SequenceNumber?
    public var timestamp: Timestamp
    /// How many reactions the emoji has; nil for other changes.
    public var count: Int?
    public var isDuplicate: Bool

    public init(
        messageID: MessageID, sequence: SequenceNumber?, timestamp: Timestamp, count: Int? = nil,
        isDuplicate: Bool = false
    ) {
        self.messageID = messageID
        self.sequence = sequence
        self.timestamp = timestamp
        self.count = count
        self.isDuplicate = isDuplicate
    }

    /// The message was so already.
    public var isUnchanged: Bool { sequence == nil }
}

extension ChangeReceipt {
    fileprivate init(_ change: MessageChange, isDuplicate: Bool) {
        self.init(
            messageID: change.messageID, sequence: change.sequence, timestamp: change.timestamp, count: change.count,
            isDuplicate: isDuplicate)
    }
}

extension MessageChange {
    fileprivate var count: Int? { if case .reaction(let reaction) = kind { reaction.count } else { nil } }
}

extension RoomWriteOutcome.Draft {
    /// What is stored now; nil where nothing was added.
    func entry(of draft: RoomDraft, in room: RoomID) -> RoomLogEntry? {
        switch self {
        case .stored(let sequence): draft.message.map { .message(Message($0, in: room, sequence: sequence)) }
        case .changed(let change): .change(change)
        case .unchanged, .duplicate, .repeated, .conflict, .refused, .failed: nil
        }
    }

    /// The number of what the draft repeats.
    var earlierSequence: SequenceNumber? {
        switch self {
        case .duplicate(_, let sequence, _): sequence
        case .repeated(let change): change.sequence
        case .stored, .changed, .unchanged, .conflict, .refused, .failed: nil
        }
    }

    /// Whether nothing was stored, now or before.
    var isRefusal: Bool {
        switch self {
        case .conflict, .refused, .failed: true
        case .stored, .changed, .unchanged, .duplicate, .repeated: false
        }
    }

    /// The answer to the sender of a draft.
    func reply(to draft: RoomDraft) -> RoomReply {
        switch self {
        case .stored(let sequence):
            .sent(id: draft.id, sequence: sequence, timestamp: draft.timestamp, isDuplicate: false)
        case .duplicate(let id, let sequence, let timestamp):
            .sent(id: id, sequence: sequence, timestamp: timestamp, isDuplicate: true)
        case .changed(let change): .changed(ChangeReceipt(change, isDuplicate: false))
        case .repeated(let change): .changed(ChangeReceipt(change, isDuplicate: true))
        case .unchanged(let count):
            .changed(
                ChangeReceipt(
                    messageID: draft.change?.messageID ?? draft.id, sequence: nil, timestamp: draft.timestamp,
                    count: count))
        case .conflict: .refused(.init(.conflict, "this clientMessageId was used for something else"))
        case .refused(let error): .refused(error)
        case .failed(.unavailable): .refused(.storageUnavailable)
        case .failed(.rejected): .refused(.badRequest("the store refused this message"))
        }
    }
}

/// A room as it is seen from outside.
public struct RoomInfo: Hashable, Sendable {
    public var room: Room
    public var state: RoomState
    public var authority: RoomAuthority
    /// Why the asking user may not enter and read; nil where the user may.
    public var refusal: ChatError?
    public var isAdmitted: Bool { refusal == nil }
    private let unsortedParticipants: Set<UserID>?
    /// The participants in their order, where there are at most `participantLimit` of them. Sorted when they are read, which few
    /// answers need.
    public var participants: [UserID]? { unsortedParticipants?.sorted() }

    public static let participantLimit = 200

    public init(
        room: Room, state: RoomState, authority: RoomAuthority = RoomAuthority(), refusal: ChatError? = nil,
        participants: Set<UserID>?
    ) {
        self.room = room
        self.state = state
        self.authority = authority
        self.refusal = refusal
        unsortedParticipants = participants
    }
}

public enum RoomAnnouncement: Hashable, Sendable {
    case joined(RoomUser)
    case left(RoomUser)
    case typing(RoomUser, isTyping: Bool)
    case read(RoomUser, SequenceNumber)
    case state(RoomState)
}

/// A room in numbers.
public struct RoomState: Hashable, Sendable {
    public var roomID: RoomID
    public var lastSequence: SequenceNumber
    /// Users recorded as participants.
    public var members: Int
    /// Users present now.
    public var online: Int

    public init(roomID: RoomID, lastSequence: SequenceNumber, members: Int, online: Int) {
        self.roomID = roomID
        self.lastSequence = lastSequence
        self.members = members
        self.online = online
    }
}
