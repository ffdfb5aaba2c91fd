@testable import ChatDomain

extension Moment {
    /// A moment this many milliseconds after the tests' start.
    static func at(_ milliseconds: Int64) -> Moment { Moment(milliseconds: 1_000_000 + milliseconds) }
    static func at(_ span: Duration) -> Moment { Moment(milliseconds: 1_000_000) + span }
}

extension UserID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(unchecked: value) }
}

extension RoomID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(unchecked: value) }
}

extension RoomUser {
    static let ann = RoomUser(userID: "ann", username: "Ann")
    static let bob = RoomUser(userID: "bob", username: "Bob")
    static let cat = RoomUser(userID: "cat", username: "Cat")

    static func number(_ number: Int) -> RoomUser {
        RoomUser(userID: UserID(unchecked: "u\(number)"), username: "User \(number)")
    }
}

extension SessionAddress {
    static func slot(_ slot: Int) -> SessionAddress {
        SessionAddress(shard: 0, slot: UInt32(slot), generation: 0)
    }
}

extension RequestOrigin {
    static func request(_ number: Int, of slot: Int = 1) -> RequestOrigin {
        .session(.slot(slot), request: UInt32(number))
    }
}

extension MessageDraft {
    static func sample(_ number: Int, by author: RoomUser = .ann, text: String? = nil) -> MessageDraft {
        MessageDraft(
            id: MessageID(high: 0xABCD, low: UInt32(number)),
            body: MessageBody(author: author.userID, username: author.username, text: text ?? "text \(number)"),
            timestamp: Timestamp(milliseconds: Int64(number)))
    }
}

extension Message {
    static func number(_ sequence: SequenceNumber, text: String? = nil) -> Message {
        Message(.sample(Int(sequence), text: text), in: "room", sequence: sequence)
    }

    static func numbers(_ range: ClosedRange<SequenceNumber>) -> [Message] { range.map { number($0) } }
}

extension [Message] {
    var entries: [RoomLogEntry] { map { .message($0) } }
}

extension LiveRoom {
    mutating func received(_ messages: [Message], at now: Moment) -> [RoomEffect] {
        received(messages.entries, at: now)
    }

    mutating func repaired(_ messages: [Message], reachedEnd: Bool, at now: Moment) -> [RoomEffect] {
        repaired(messages.entries, reachedEnd: reachedEnd, at: now)
    }

    /// An open group room whose newest message is `last`.
    static func open(
        last: SequenceNumber = 0, base: SequenceNumber = 0, participants: Set<UserID> = [], limits: RoomLimits = .init()
    ) -> LiveRoom {
        var room = Room(id: "room", kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0))
        room.historyBase = base
        return LiveRoom(RoomSnapshot(room: room, participants: participants, lastSequence: last), limits: limits)
    }

    static func closed(to participants: Set<UserID>) -> LiveRoom {
        let room = Room(id: "room", kind: .group, isPrivate: true, createdAt: Timestamp(milliseconds: 0))
        return LiveRoom(RoomSnapshot(room: room, participants: participants, lastSequence: 0), limits: RoomLimits())
    }

    mutating func nextWrite() -> RoomWrite? { nextWrite(at: .at(0)) }

    /// Answers the write in flight: everything stored, numbered from the newest delivered number on.
    mutating func commitAll(at now: Moment) -> [RoomEffect] {
        guard let write = nextWrite(at: now) else { return [] }
        return committed(.everything(of: write, after: lastSequence), at: now)
    }
}

extension RoomWriteOutcome {
    static func everything(of write: RoomWrite, after last: SequenceNumber) -> RoomWriteOutcome {
        RoomWriteOutcome(
            roomID: write.roomID,
            drafts: write.drafts.indices.map { .stored(last + SequenceNumber($0) + 1) },
            readMarks: write.readMarks.map { _ in .success(true) })
    }
}

extension RoomEffect {
    var delivered: [SequenceNumber]? {
        if case .deliver(let messages) = self { messages.map(\.sequence) } else { nil }
    }

    var published: [SequenceNumber]? {
        if case .publish(let messages) = self { messages.map(\.sequence) } else { nil }
    }

    var announced: RoomAnnouncement? {
        if case .announce(let announcement, _) = self { announcement } else { nil }
    }

    var replied: RoomReply? {
        if case .reply(_, let reply) = self { reply } else { nil }
    }

    var repaired: SequenceNumber? {
        if case .repair(let after) = self { after } else { nil }
    }
}

extension Result where Success == [RoomEffect], Failure == ChatError {
    /// The effects; empty for a refusal, whose code is in `refusal`.
    var effects: [RoomEffect] { (try? get()) ?? [] }
    var refusal: ChatError.Code? { if case .failure(let error) = self { error.code } else { nil } }
}
