/// The sender of a request that a room took up, which is to be answered.
public enum RequestOrigin: Hashable, Sendable {
    /// A session's request by its number within the session.
    case session(SessionAddress, request: UInt32)
    /// A REST call waiting under this ticket.
    case call(UInt64)

    var session: SessionAddress? { if case .session(let address, _) = self { address } else { nil } }
}

/// A room's data to be stored: gathered while a write is in flight, written together, one write at a time.
struct WriteQueue: Sendable {
    struct Draft: Sendable {
        let draft: RoomDraft
        /// nil once the sender was refused as retryable.
        var origin: RequestOrigin?
        let deadline: Moment
    }

    struct Mark: Sendable {
        let mark: ReadMark
        let user: RoomUser
        var origin: RequestOrigin?
        let deadline: Moment
    }

    /// A joining user that the store must have as a participant before the join is answered.
    struct Enrolment: Sendable {
        let user: UserID
        var origin: RequestOrigin?
        let deadline: Moment
        /// The right was taken away while the store had it in hand.
        var isRevoked = false
    }

    private(set) var enrolments: [Enrolment] = []
    private(set) var drafts: [Draft] = []
    /// The earliest deadlines of senders that wait, of `drafts` and of those in flight. Drafts need not come in the order of
    /// their deadlines.
    private var draftsDue: Moment?
    private var flightDue: Moment?
    private(set) var marks: [Mark] = []
    private(set) var inFlight: (drafts: [Draft], marks: [Mark], enrolments: [Enrolment])?
    /// When the write in flight was given to the store.
    private var flightBegunAt = Moment(milliseconds: 0)
    private var limit: BatchLimit
    /// The weight of drafts, waiting and in flight, in bytes.
    private(set) var bytes = 0

    /// - Parameter timeout: how long senders wait for the store.
    init(timeout: Duration) { limit = BatchLimit(timeout: timeout) }

    var isIdle: Bool { inFlight == nil && !hasWork }
    var hasWork: Bool { !drafts.isEmpty || !marks.isEmpty || !enrolments.isEmpty }

    mutating func add(_ draft: Draft) {
        drafts.append(draft)
        draftsDue = draftsDue.orEarlier(draft.deadline)
        bytes += draft.draft.approximateBytes
    }

    mutating func add(_ mark: Mark) { marks.append(mark) }
    mutating func add(_ enrolment: Enrolment) { enrolments.append(enrolment) }

    /// Whether a draft that is added now is likely to be stored by then. One that fits into the next write always counts as such.
    func canStore(by deadline: Moment, at now: Moment) -> Bool {
        drafts.count < limit.drafts || now + limit.wait(behind: drafts.count) <= deadline
    }

    /// Whether the user waits for a write to come.
    func isEnrolling(_ user: UserID) -> Bool { enrolments.contains { $0.user == user } }

    /// Takes back what was not given to the store yet, and notes to undo what was; the requests to refuse.
    mutating func revoke(_ user: UserID) -> [RequestOrigin] {
        var refused = enrolments.filter { $0.user == user }.compactMap(\.origin)
        enrolments.removeAll { $0.user == user }
        guard var flight = inFlight else { return refused }
        for index in flight.enrolments.indices where flight.enrolments[index].user == user {
            if let origin = flight.enrolments[index].origin { refused.append(origin) }
            flight.enrolments[index].origin = nil
            flight.enrolments[index].isRevoked = true
        }
        inFlight = flight
        return refused
    }

    /// The next write, if there is one and none is in flight. Drafts past the limit of a write stay for those after it.
    mutating func next(in room: RoomID, lastKnown: SequenceNumber, at now: Moment) -> RoomWrite? {
        guard inFlight == nil, hasWork else { return nil }
        let batch = drafts.count <= limit.drafts ? drafts : Array(drafts.prefix(limit.drafts))
        var users: [UserID] = []
        for enrolment in enrolments where !users.contains(enrolment.user) { users.append(enrolment.user) }
        let write = RoomWrite(
            roomID: room, lastKnown: lastKnown, newParticipants: users, readMarks: marks.map(\.mark),
            drafts: batch.map(\.draft))
        inFlight = (batch, marks, enrolments)
        flightBegunAt = now
        enrolments = []
        marks = []
        if batch.count == drafts.count {
            drafts = []
            (flightDue, draftsDue) = (draftsDue, nil)
        } else {
            drafts.removeFirst(batch.count)
            (flightDue, draftsDue) = (Self.earliest(batch), Self.earliest(drafts))
        }
        return write
    }

    mutating func finish(at now: Moment) -> (drafts: [Draft], marks: [Mark], enrolments: [Enrolment]) {
        guard let finished = inFlight else { return ([], [], []) }
        limit.didWrite(finished.drafts.count, in: now - flightBegunAt)
        inFlight = nil
        flightDue = nil
        bytes -= finished.drafts.reduce(0) { $0 + $1.draft.approximateBytes }
        return finished
    }

    /// The deadline of the sender that has waited longest.
    var nextDeadline: Moment? {
        draftsDue.orEarlier(flightDue).orEarlier(marks.first?.deadline).orEarlier(enrolments.first?.deadline)
            .orEarlier(inFlight?.marks.first { $0.origin != nil }?.deadline)
            .orEarlier(inFlight?.enrolments.first { $0.origin != nil }?.deadline)
    }

    /// Ends the requests that have waited too long: what is in flight may still be stored, what is not is dropped.
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
            for index in flight.enrolments.indices where flight.enrolments[index].deadline <= now {
                refuse(&flight.enrolments[index].origin)
            }
            inFlight = flight
            flightDue = Self.earliest(flight.drafts)
        }
        let lateDrafts = drafts.filter { $0.deadline <= now }
        let lateMarks = marks.prefix { $0.deadline <= now }
        let lateEnrolments = enrolments.prefix { $0.deadline <= now }
        refused += lateDrafts.compactMap(\.origin) + lateMarks.compactMap(\.origin)
        refused += lateEnrolments.compactMap(\.origin)
        bytes -= lateDrafts.reduce(0) { $0 + $1.draft.approximateBytes }
        if !lateDrafts.isEmpty {
            drafts.removeAll { $0.deadline <= now }
            draftsDue = Self.earliest(drafts)
        }
        marks.removeFirst(lateMarks.count)
        enrolments.removeFirst(lateEnrolments.count)
        return refused
    }

    private static func earliest(_ drafts: [Draft]) -> Moment? {
        drafts.lazy.filter { $0.origin != nil }.map(\.deadline).min()
    }
}
