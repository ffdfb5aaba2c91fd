/// Whom to answer for a request that a room took up.
public enum RequestOrigin: Hashable, Sendable {
    /// A session's request by its number within the session.
    case session(SessionAddress, request: UInt32)
    /// A REST call waiting under this ticket.
    case call(UInt64)
}

/// What a room wants stored: gathered while a write is in flight, written together, one write at a time.
struct WriteQueue: Sendable {
    struct Draft: Sendable {
        let draft: MessageDraft
        /// nil once the sender was told to try again.
        var origin: RequestOrigin?
        let deadline: Moment
    }

    struct Mark: Sendable {
        let mark: ReadMark
        let user: RoomUser
        var origin: RequestOrigin?
        let deadline: Moment
    }

    private(set) var participants: [UserID] = []
    /// Whom the store could not record; they go with the next write, and cause none by themselves.
    private var unrecorded: [UserID] = []
    private(set) var drafts: [Draft] = []
    /// The earliest deadlines of senders who wait, of `drafts` and of those in flight. Drafts need not come in the order of
    /// their deadlines.
    private var draftsDue: Moment?
    private var flightDue: Moment?
    private(set) var marks: [Mark] = []
    private(set) var inFlight: (drafts: [Draft], marks: [Mark], participants: [UserID])?
    /// What drafts weigh, waiting and in flight.
    private(set) var bytes = 0

    var isIdle: Bool { inFlight == nil && !hasWork }
    var hasWork: Bool { !drafts.isEmpty || !marks.isEmpty || !participants.isEmpty }

    mutating func add(_ draft: Draft) {
        drafts.append(draft)
        draftsDue = draftsDue.orEarlier(draft.deadline)
        bytes += draft.draft.body.approximateBytes
    }

    mutating func add(_ mark: Mark) { marks.append(mark) }
    mutating func addParticipant(_ user: UserID) { participants.append(user) }

    /// Takes back what was not given to the store yet.
    mutating func dropParticipant(_ user: UserID) {
        participants.removeAll { $0 == user }
        unrecorded.removeAll { $0 == user }
    }

    mutating func recordLater(_ users: [UserID]) { unrecorded += users }

    /// The next write, if there is one and none is in flight.
    mutating func next(in room: RoomID, lastKnown: SequenceNumber) -> RoomWrite? {
        guard inFlight == nil, hasWork else { return nil }
        let write = RoomWrite(
            roomID: room, lastKnown: lastKnown, newParticipants: unrecorded + participants,
            readMarks: marks.map(\.mark), drafts: drafts.map(\.draft))
        inFlight = (drafts, marks, write.newParticipants)
        (flightDue, draftsDue) = (draftsDue, nil)
        participants = []
        unrecorded = []
        drafts = []
        marks = []
        return write
    }

    mutating func finish() -> (drafts: [Draft], marks: [Mark], participants: [UserID]) {
        guard let finished = inFlight else { return ([], [], []) }
        inFlight = nil
        flightDue = nil
        bytes -= finished.drafts.reduce(0) { $0 + $1.draft.body.approximateBytes }
        return finished
    }

    /// The deadline of the sender who has waited longest.
    var nextDeadline: Moment? {
        draftsDue.orEarlier(flightDue).orEarlier(marks.first?.deadline)
            .orEarlier(inFlight?.marks.first { $0.origin != nil }?.deadline)
    }

    /// Gives up on those who have waited too long: what is in flight may still be stored, what is not is dropped.
    mutating func expire(at now: Moment) -> [RequestOrigin] {
        var refused: [RequestOrigin] = []
        func refuse(_ origin: inout RequestOrigin?) {
            if let origin { refused.append(origin) }
            origin = nil
        }
        if var flight = inFlight {
            for index in flight.drafts.indices where flight.drafts[index].deadline <= now {
                refuse(&flight.drafts[index].origin)
            }
            for index in flight.marks.indices where flight.marks[index].deadline <= now {
                refuse(&flight.marks[index].origin)
            }
            inFlight = flight
            flightDue = Self.earliest(flight.drafts)
        }
        let lateDrafts = drafts.filter { $0.deadline <= now }
        let lateMarks = marks.prefix { $0.deadline <= now }
        refused += lateDrafts.compactMap(\.origin) + lateMarks.compactMap(\.origin)
        bytes -= lateDrafts.reduce(0) { $0 + $1.draft.body.approximateBytes }
        if !lateDrafts.isEmpty {
            drafts.removeAll { $0.deadline <= now }
            draftsDue = Self.earliest(drafts)
        }
        marks.removeFirst(lateMarks.count)
        return refused
    }

    private static func earliest(_ drafts: [Draft]) -> Moment? {
        drafts.lazy.filter { $0.origin != nil }.map(\.deadline).min()
    }
}
