/// The form in which a session is sent events, as a code that only the encoders of events interpret.
public struct EventForm: Hashable, Sendable {
    public let code: Int
    public init(code: Int) { self.code = code }
}

/// A session's request to join a room.
public struct JoinRequest: Sendable {
    public var session: SessionAddress
    /// The request's number within the session.
    public var request: UInt32
    public var user: RoomUser
    public var history: HistoryRequest
    public var form: EventForm

    public init(
        session: SessionAddress, request: UInt32, user: RoomUser, history: HistoryRequest, form: EventForm
    ) {
        self.session = session
        self.request = request
        self.user = user
        self.history = history
        self.form = form
    }

    public var origin: RequestOrigin { .session(session, request: request) }
}

/// The joins of a room that are under way, each until it is shown the room or refused.
///
/// A join has the store record its user, waits for other instances to say which users they have, reads what the session has
/// seen and this instance has not, reads a page of history, and is shown the room. It passes over what it does not need. Each
/// wait has a deadline. Nothing falls between what a session is shown and what it then receives, as the view is made in one
/// step with the session's entering the room's audience, up to the number delivered last.
///
/// A value without clock or I/O: events and the time go in, actions come out.
public struct RoomJoins: Sendable {
    public typealias Join = JoinRequest

    public enum Action: Sendable {
        case perform([RoomEffect])
        /// Find out how many other instances receive the room's traffic; `didCountListeners` follows.
        case countListeners(round: Int)
        /// Read what the store has after this number; `didCatchUp` follows.
        case catchUp(after: SequenceNumber, number: Int)
        /// Read this page; `didReadPage` follows.
        ///
        /// - `delivered`: the newest number delivered here.
        case readPage(ViewQuery, delivered: SequenceNumber)
        /// Call `didGetTurn` when the loop has time for it: many joins may come at once, and each view may be a large page.
        case takeTurn(number: Int)
        /// The session enters the room's audience now, and is answered with this.
        case show(Join, RoomView)
        case refuse(Join, ChatError)
    }

    private enum Stage {
        /// The store is to record the user. The session may have left meanwhile.
        case enrolling(hasLeft: Bool)
        case awaitingRosters
        case catchingUp
        case awaitingPage
        case awaitingTurn(ViewPage?)
    }

    private struct Waiting {
        let join: Join
        var stage: Stage
        /// Pages read for it so far; a room that outruns them all is reported as unavailable.
        var pageReads = 0
    }

    /// The first to come into a room on this instance wait for the other instances to say which users they have.
    private struct Arrival {
        let round: Int
        let deadline: Moment
        var joins: [Int]
        var answered: Set<InstanceID> = []
        /// Instances that will answer; nil until they are counted.
        var expected: Int?
        /// The room is being read again, since what was loaded may be from before the subscription.
        var awaitsRefresh = false

        var isComplete: Bool { !awaitsRefresh && expected.map { answered.count >= $0 } ?? false }
    }

    private struct CatchUp {
        let number: Int
        let after: SequenceNumber
        let deadline: Moment
        var joins: [Int]
    }

    private struct PageRead {
        let deadline: Moment
        var joins: [Int]
    }

    /// How long other instances have to say which users they have.
    static let rosterTimeout: Duration = .milliseconds(200)
    /// Pages read for one join at most.
    static let maximumPageReads = 4

    /// Other instances may have users in the room.
    private let isShared: Bool
    private var waiting: [Int: Waiting] = [:]
    private var numbers: [SessionAddress: [Int]] = [:]
    private var lastNumber = 0
    private var enrolling: [RequestOrigin: Int] = [:]
    private var arrival: Arrival?
    private var lastRound = 0
    private var catchUp: CatchUp?
    /// Joins that need the same page share one read.
    private var pageReads: [ViewQuery: PageRead] = [:]
    /// No page read is overdue before this.
    private var pagesDue: Moment?

    public init(isShared: Bool) { self.isShared = isShared }

    public var isEmpty: Bool { waiting.isEmpty }

    /// Sessions are about to receive the room's traffic.
    public var needsTraffic: Bool { arrival != nil || waiting.count > enrolling.count }

    // MARK: Coming in

    /// - Parameters:
    ///   - isSubscribed: whether the traffic of other instances was asked for before.
    ///   - isHidden: whether others are not to know of a user.
    public mutating func received(
        _ join: Join, in room: inout LiveRoom, isSubscribed: Bool, isHidden: (UserID) -> Bool, at now: Moment
    ) -> [Action] {
        switch room.enrol(join.user.userID, origin: join.origin, at: now) {
        case .failure(let error): return [.refuse(join, error)]
        case .success(.underWay):
            enrolling[join.origin] = keep(join, .enrolling(hasLeft: false))
            return []
        case .success(.done): return admit(join, to: &room, isSubscribed, isHidden, at: now)
        }
    }

    private mutating func keep(_ join: Join, _ stage: Stage) -> Int {
        lastNumber += 1
        waiting[lastNumber] = Waiting(join: join, stage: stage)
        numbers[join.session, default: []].append(lastNumber)
        return lastNumber
    }

    private mutating func remove(_ number: Int) -> Join? {
        guard let join = waiting.removeValue(forKey: number)?.join else { return nil }
        numbers[join.session]?.removeAll { $0 == number }
        if numbers[join.session]?.isEmpty == true { numbers[join.session] = nil }
        if waiting.isEmpty { releaseStorage() }
        return join
    }

    /// An emptied dictionary keeps its memory, and most rooms have no join under way.
    private mutating func releaseStorage() { (waiting, numbers, enrolling) = ([:], [:], [:]) }

    private mutating func refuse(_ number: Int, _ error: ChatError) -> [Action] {
        remove(number).map { [.refuse($0, error)] } ?? []
    }

    /// The store has the join's user: the join continues.
    public mutating func didEnrol(
        _ origin: RequestOrigin, in room: inout LiveRoom, isSubscribed: Bool, isHidden: (UserID) -> Bool,
        at now: Moment
    ) -> [Action] {
        guard let number = enrolling.removeValue(forKey: origin), let enrolled = waiting[number] else { return [] }
        if case .enrolling(hasLeft: true) = enrolled.stage { return refuse(number, .roomUnavailable) }
        guard let join = remove(number) else { return [] }
        return admit(join, to: &room, isSubscribed, isHidden, at: now)
    }

    /// The room answered the request itself: the store did not record the join's user.
    public mutating func didAnswer(_ origin: RequestOrigin) {
        if let number = enrolling.removeValue(forKey: origin) { _ = remove(number) }
    }

    private mutating func admit(
        _ join: Join, to room: inout LiveRoom, _ isSubscribed: Bool, _ isHidden: (UserID) -> Bool, at now: Moment
    ) -> [Action] {
        let user = join.user
        switch room.join(user, session: join.session, isHidden: isHidden(user.userID), at: now) {
        case .failure(let error): return [.refuse(join, error)]
        case .success(let effects):
            let number = keep(join, .awaitingRosters)
            if isShared, arrival != nil || !isSubscribed {
                awaitRosters(number, at: now)
                return [.perform(effects)]
            }
            return [.perform(effects)] + enter([number], &room, at: now)
        }
    }

    // MARK: Waiting for other instances' rosters

    private mutating func awaitRosters(_ number: Int, at now: Moment) {
        if arrival == nil {
            lastRound += 1
            arrival = Arrival(round: lastRound, deadline: now + Self.rosterTimeout, joins: [])
        }
        arrival?.joins.append(number)
    }

    /// The traffic of other instances comes in from here on, and they were asked for their rosters. The caller refreshes the
    /// room, and says so with `didRefresh`.
    public mutating func didSubscribe() -> [Action] {
        guard arrival != nil else { return [] }
        arrival?.awaitsRefresh = true
        return arrival.map { [.countListeners(round: $0.round)] } ?? []
    }

    /// - Parameter others: the instances that will send a roster; nil where that is not known.
    public mutating func didCountListeners(
        round: Int, others: Int?, in room: inout LiveRoom, at now: Moment
    ) -> [Action] {
        guard let others, arrival?.round == round else { return [] }
        arrival?.expected = others
        return enterIfComplete(&room, at: now)
    }

    public mutating func receivedRoster(
        of instance: InstanceID, in room: inout LiveRoom, at now: Moment
    ) -> [Action] {
        guard arrival != nil else { return [] }
        arrival?.answered.insert(instance)
        return enterIfComplete(&room, at: now)
    }

    /// The room was read again after the subscription, or could not be.
    public mutating func didRefresh(_ room: inout LiveRoom, at now: Moment) -> [Action] {
        guard arrival != nil else { return [] }
        arrival?.awaitsRefresh = false
        return enterIfComplete(&room, at: now)
    }

    private mutating func enterIfComplete(_ room: inout LiveRoom, at now: Moment) -> [Action] {
        guard let arrival, arrival.isComplete else { return [] }
        return endArrival(&room, at: now)
    }

    private mutating func endArrival(_ room: inout LiveRoom, at now: Moment) -> [Action] {
        let arrived = arrival?.joins ?? []
        arrival = nil
        return enter(arrived, &room, at: now)
    }

    private mutating func enter(_ numbers: [Int], _ room: inout LiveRoom, at now: Moment) -> [Action] {
        numbers.flatMap { isBehind($0, room) ? startCatchUp($0, room, at: now) : takeTurn($0) }
    }

    // MARK: Catching up

    /// Whether the session saw more of the room on another instance than has come here.
    private func isBehind(_ number: Int, _ room: LiveRoom) -> Bool {
        guard isShared, let since = waiting[number]?.join.history.since else { return false }
        return since > room.lastSequence
    }

    /// Reads what has not come yet, so that a number ahead of it is not taken for one of another life of the room.
    private mutating func startCatchUp(_ number: Int, _ room: LiveRoom, at now: Moment) -> [Action] {
        waiting[number]?.stage = .catchingUp
        guard catchUp == nil else {
            catchUp?.joins.append(number)
            return []
        }
        lastNumber += 1
        let deadline = now + room.limits.storeTimeout
        catchUp = CatchUp(number: lastNumber, after: room.lastSequence, deadline: deadline, joins: [number])
        return [.catchUp(after: room.lastSequence, number: lastNumber)]
    }

    /// - Parameter isShown: whether a session was shown the room before.
    public mutating func didCatchUp(
        number: Int, _ result: Result<RoomLogPage, StoreError>, in room: inout LiveRoom,
        isShown: (SessionAddress) -> Bool, at now: Moment
    ) -> [Action] {
        guard let finished = catchUp, finished.number == number else { return [] }
        catchUp = nil
        guard let page = try? result.get() else {
            return finished.joins.flatMap { fail($0, &room, isShown, at: now) }
        }
        let effects = room.received(page.entries, at: now)
        // Without progress another read would find the same.
        let goesOn = page.hasMore && room.lastSequence > finished.after
        return [.perform(effects)]
            + finished.joins.flatMap { number in
                goesOn && isBehind(number, room) ? startCatchUp(number, room, at: now) : takeTurn(number)
            }
    }

    // MARK: Being shown the room

    private mutating func takeTurn(_ number: Int, page: ViewPage? = nil) -> [Action] {
        guard waiting[number] != nil else { return [] }
        waiting[number]?.stage = .awaitingTurn(page)
        return [.takeTurn(number: number)]
    }

    /// The loop has time to show the room to the join of this number.
    public mutating func didGetTurn(
        number: Int, in room: inout LiveRoom, isShown: (SessionAddress) -> Bool, at now: Moment
    ) -> [Action] {
        guard let next = waiting[number], case .awaitingTurn(let page) = next.stage else { return [] }
        guard room.members.contains(next.join.session) else { return refuse(number, .roomUnavailable) }
        switch room.view(next.join.history, page: page) {
        case .view(let view):
            _ = remove(number)
            return [.show(next.join, view)]
        case .read(let query):
            guard next.pageReads < Self.maximumPageReads else { return fail(number, &room, isShown, at: now) }
            return read(query, for: number, room, at: now)
        }
    }

    private mutating func read(
        _ query: ViewQuery, for number: Int, _ room: LiveRoom, at now: Moment
    ) -> [Action] {
        waiting[number]?.stage = .awaitingPage
        waiting[number]?.pageReads += 1
        guard pageReads[query] == nil else {
            pageReads[query]?.joins.append(number)
            return []
        }
        let deadline = now + room.limits.storeTimeout
        pageReads[query] = PageRead(deadline: deadline, joins: [number])
        pagesDue = pagesDue.orEarlier(deadline)
        return [.readPage(query, delivered: room.lastSequence)]
    }

    /// - Parameter isShown: whether a session was shown the room before.
    public mutating func didReadPage(
        _ query: ViewQuery, _ result: Result<ViewPage, StoreError>, in room: inout LiveRoom,
        isShown: (SessionAddress) -> Bool, at now: Moment
    ) -> [Action] {
        guard let read = pageReads.removeValue(forKey: query) else { return [] }
        if pageReads.isEmpty { pagesDue = nil }
        return read.joins.flatMap { number in
            if let page = try? result.get() { return takeTurn(number, page: page) }
            return fail(number, &room, isShown, at: now)
        }
    }

    /// The store did not give what the join needs. A session that was shown the room before stays in it.
    private mutating func fail(
        _ number: Int, _ room: inout LiveRoom, _ isShown: (SessionAddress) -> Bool, at now: Moment
    ) -> [Action] {
        guard let join = remove(number) else { return [] }
        guard !isShown(join.session) else { return [.refuse(join, .storageUnavailable)] }
        let effects = room.leave(join.session, isBroken: false, at: now)
        return [.perform(effects), .refuse(join, .storageUnavailable)]
    }

    // MARK: Going

    /// The session left the room, or was put out of it. A join whose user the store is recording is answered once that is over.
    public mutating func didLeave(_ session: SessionAddress) -> [Action] {
        guard !waiting.isEmpty else { return [] }
        return (numbers[session] ?? []).flatMap { number -> [Action] in
            if case .enrolling = waiting[number]?.stage {
                waiting[number]?.stage = .enrolling(hasLeft: true)
                return []
            }
            return refuse(number, .roomUnavailable)
        }
    }

    /// The room is closed: every join is refused.
    public mutating func didClose() -> [Action] {
        let all = waiting.sorted { $0.key < $1.key }.map { Action.refuse($0.value.join, .roomUnavailable) }
        self = RoomJoins(isShared: isShared, numberedAfter: (lastNumber, lastRound))
        return all
    }

    private init(isShared: Bool, numberedAfter last: (number: Int, round: Int)) {
        self.isShared = isShared
        (lastNumber, lastRound) = last
    }

    // MARK: Time

    /// When `tick` has something to do.
    public var deadline: Moment? { pagesDue.orEarlier(arrival?.deadline).orEarlier(catchUp?.deadline) }

    public mutating func tick(
        _ room: inout LiveRoom, isShown: (SessionAddress) -> Bool, at now: Moment
    ) -> [Action] {
        guard let deadline, deadline <= now else { return [] }
        let late = StoreError.unavailable(reason: "no answer in time")
        var actions: [Action] = []
        if let arrival, arrival.deadline <= now { actions += endArrival(&room, at: now) }
        if let catchUp, catchUp.deadline <= now {
            actions += didCatchUp(number: catchUp.number, .failure(late), in: &room, isShown: isShown, at: now)
        }
        if let pagesDue, pagesDue <= now {
            for query in pageReads.filter({ $0.value.deadline <= now }).keys {
                actions += didReadPage(query, .failure(late), in: &room, isShown: isShown, at: now)
            }
            self.pagesDue = pageReads.values.lazy.map { $0.deadline }.min()
        }
        return actions
    }
}

extension LiveRoom {
    public enum Enrolment: Hashable, Sendable {
        /// The store has the user as a participant, or takes no more: `join` may follow.
        case done
        /// The store is to record the user first: `enrolled` or a refusal of the request follows.
        case underWay
    }
}
