import ChatDomain
import RedisLink

/// The rules by which an instance keeps its sessions in Redis. It has no I/O and no clock.
///
/// Each input changes the machine and returns what the caller must do, in that order and before the next input. Answers to
/// requests come back to `receivedAnswer`. The machine must be asked again at `deadline`, by `tick`.
///
/// - The lease is renewed with every heartbeat. An instance that was away, or whose lease had ended, registers all its sessions
///   again from memory; changes that happen meanwhile are sent behind that.
/// - While Redis is away the handler gets the changes of this instance's sessions, and after `isolation` only their users count
///   as present.
/// - Instances whose leases have ended are swept by an instance that has held its own for a full period.
struct DirectoryMachine {
    /// How long a lease holds.
    static let lease: Duration = .seconds(10)
    /// Between two renewals of the lease.
    static let heartbeat: Duration = .milliseconds(2500)
    /// After this time without Redis the users of other instances are no longer shown.
    static let isolation: Duration = .seconds(15)
    /// After this time without a subscription Redis counts as away.
    static let subscriptionTimeout: Duration = .seconds(5)

    enum Action {
        case send(DirectoryRequest)
        /// Call the handler.
        case deliver(DirectoryEvent)
        /// Answer the caller of `connect`: these sessions must give way.
        case completeConnect(ticket: UInt64, evicted: [SessionRecord])
        case setContact(Contact)
        case warn(RedisError)
        /// This instance has left Redis as far as it can.
        case finishClosing
    }

    /// How this instance stands with Redis.
    private enum Link {
        /// Changes are not sent.
        case down
        /// Changes are sent; what was there before is being sent.
        case registering(PresenceRegistration)
        case up
        case closing
        case closed
    }

    private let instance: InstanceID
    private let grace: Duration
    private let maximumSessions: Int

    private var local = LocalPresence()
    private var marks = ContactMarks()
    private var renewal = LeaseRenewal()
    private var comparison = PresenceComparison()
    private var keyRenewal = KeyRenewal()
    private var actions: [Action] = []

    private var link = Link.down
    private var isConnected = false
    private var wasRegistered = false
    /// The number of the last registration. Answers to earlier ones are ignored.
    private var attempt: UInt64 = 0
    /// Since when Redis has not had all of this instance's sessions; nil while it has them.
    private var downSince: Moment?
    private var isIsolated = false
    /// Since when there is no subscription; nil while there is one.
    private var unsubscribedSince: Moment?

    private var others = 0
    /// Instances whose leases had ended at the last renewal, and that are still to be swept.
    private var toSweep: [InstanceID] = []
    private var sweeping: InstanceID?

    /// When what Redis has under this instance's name is compared with what is here.
    private var inventoryDue: Moment?

    /// - Parameters:
    ///   - grace: how long a user whose last session broke off still counts as present.
    ///   - maximumSessions: sessions that a user may have; the oldest gives way. 0 for no limit.
    init(instance: InstanceID, grace: Duration, maximumSessions: Int) {
        self.instance = instance
        self.grace = grace
        self.maximumSessions = maximumSessions
    }

    // MARK: Reading

    /// When `tick` is due.
    var deadline: Moment? {
        guard !isClosing else { return nil }
        let isolation = isSending || isIsolated ? nil : downSince.map { $0 + Self.isolation }
        return [renewal.deadline, isolation, comparison.deadline].compactMap { $0 }.min()
    }

    /// Whether changes here are sent to Redis, and those of other instances come from there.
    var isSending: Bool {
        switch link {
        case .registering, .up: true
        case .down, .closing, .closed: false
        }
    }

    var otherInstances: Int { isSending ? others : 0 }
    var isNameShared: Bool { marks.isNameShared }
    func presence(of user: UserID) -> UserPresence? { local.presence(of: user) }
    func sessions(of user: UserID) -> [SessionRecord] { local.sessions(of: user) }
    /// Whether this instance may take another's lease for ended.
    func mayJudge(at now: Moment) -> Bool { renewal.mayJudge(at: now) }

    private var isClosing: Bool {
        switch link {
        case .closing, .closed: true
        case .down, .registering, .up: false
        }
    }

    // MARK: Sessions and rooms

    mutating func connect(_ record: SessionRecord, ticket: UInt64) -> [Action] {
        let outcome = local.connect(record, limit: isSending ? 0 : maximumSessions)
        if isSending {
            actions.append(.send(.connect(record, ticket: ticket)))
        } else {
            deliverLocally(outcome.change)
            actions.append(.completeConnect(ticket: ticket, evicted: outcome.evicted))
        }
        return takeActions()
    }

    mutating func update(
        _ session: SessionID, of user: UserID, _ update: SessionUpdate, at time: Timestamp
    ) -> [Action] {
        let change = local.update(session, of: user, update, at: time)
        if isSending {
            if case .requestedStatus = update { local.didSendStatusRequest(of: user) }
            actions.append(.send(.update(session, of: user, update, at: time)))
        } else {
            deliverLocally(change)
        }
        return takeActions()
    }

    mutating func remove(_ session: SessionID, of user: UserID, at time: Timestamp) -> [Action] {
        let change = local.remove(session, of: user, at: time)
        if isSending {
            actions.append(.send(.remove(session, of: user, at: time)))
        } else {
            local.noteUnsentRemoval(of: session, user)
            deliverLocally(change)
        }
        return takeActions()
    }

    mutating func setPresent(_ place: RoomPlace, _ isPresent: Bool) -> [Action] {
        local.setPresent(place, isPresent)
        if isSending {
            actions.append(.send(.setPresent(place, isPresent)))
        } else {
            local.noteUnsent(place, isPresent: isPresent)
        }
        return takeActions()
    }

    // MARK: Life

    mutating func start(at now: Now) -> [Action] {
        downSince = now.monotonic
        unsubscribedSince = now.monotonic
        renewal.schedule(at: now.monotonic)
        return tick(at: now)
    }

    mutating func tick(at now: Now) -> [Action] {
        comparison.abandonWhenOverdue(at: now.monotonic)
        beatWhenDue(at: now)
        isolateWhenDue(at: now)
        return takeActions()
    }

    mutating func connectionChanged(isUp: Bool, at now: Now) -> [Action] {
        isConnected = isUp
        if isUp { renewal.schedule(at: now.monotonic) } else { unlink(at: now) }
        return tick(at: now)
    }

    mutating func subscriptionChanged(isUp: Bool, at now: Now) -> [Action] {
        // Changes that were published before were missed.
        comparison.abandon()
        marks.loseContact()
        actions.append(.setContact(marks.contact))
        unsubscribedSince = isUp ? nil : now.monotonic
        if isUp { renewal.schedule(at: now.monotonic) }
        return tick(at: now)
    }

    /// Leaves lingering sessions to the grace period of the other instances, or removes all where there is no other.
    mutating func close() -> [Action] {
        switch link {
        case .closing: return []
        case .closed: return [.finishClosing]
        case .down, .registering, .up: break
        }
        link = .closing
        comparison.abandon()
        toSweep = []
        return [.send(.releaseLease)]
    }

    // MARK: What comes over the subscription

    mutating func received(_ news: PresenceCodec.News, at now: Now) -> [Action] {
        guard isSending else { return [] }
        switch news {
        case .changed(let presence, let origin):
            comparison.didReceive(presence)
            if !isOlderThanRegistration(origin) { local.follow(presence) }
            actions.append(.deliver(.changed(presence, origin: origin)))
        case .lost(let lost):
            if lost != instance { actions.append(.deliver(.lost(lost))) }
        }
        return takeActions()
    }

    /// Whether news may describe sessions here as Redis had them before they were registered again.
    private func isOlderThanRegistration(_ origin: InstanceID) -> Bool {
        if case .registering = link { origin == instance } else { false }
    }

    /// A payload of another instance, or a mark of this one.
    mutating func received(_ payload: [UInt8], from sender: ArraySlice<UInt8>, at now: Now) -> [Action] {
        guard sender.elementsEqual(instance.value.utf8) else { return [.deliver(.received(payload: payload))] }
        guard let mark = UInt64(String(decoding: payload, as: UTF8.self)) else { return [] }
        let before = marks.contact
        marks.didReceive(mark, at: now.monotonic)
        if marks.contact != before { actions.append(.setContact(marks.contact)) }
        finishComparisonWhenCaughtUp(at: now)
        return takeActions()
    }

    // MARK: Answers

    mutating func receivedAnswer(_ answer: DirectoryAnswer, to request: DirectoryRequest, at now: Now) -> [Action] {
        switch request {
        case .connect(let record, let ticket): didConnect(record, ticket, answer, at: now)
        case .update(_, let user, .requestedStatus, _):
            local.didAnswerStatusRequest(of: user)
            unlinkAfterFailure(answer, at: now)
        case .update, .setPresent: unlinkAfterFailure(answer, at: now)
        case .remove(let session, let user, _):
            if case .failed = answer { local.noteUnsentRemoval(of: session, user) }
            unlinkAfterFailure(answer, at: now)
        case .register(_, _, _, attempt):
            if answer == .done { continueRegistration(at: now) } else { unlinkAfterFailure(answer, at: now) }
        case .renewLease(let began): didRenewLease(answer, began: began, at: now)
        case .releaseLease: didReleaseLease(answer, at: now)
        case .sweep(let ended, _): didSweep(ended, answer, at: now)
        case .readInventory: didReadInventory(answer, at: now)
        case .readUsers(_, let number): didReadUsers(answer, of: number)
        case .publishMark(let mark): didPublish(mark, answer, at: now)
        case .register, .renewKeys: break
        }
        return takeActions()
    }

    private mutating func didConnect(
        _ record: SessionRecord, _ ticket: UInt64, _ answer: DirectoryAnswer, at now: Now
    ) {
        guard case .connected(let status, let evicted) = answer else {
            actions.append(.completeConnect(ticket: ticket, evicted: []))
            return unlinkAfterFailure(answer, at: now)
        }
        if let status, status != record.requestedStatus { local.adopt(status, for: record, at: now.wall) }
        actions.append(.completeConnect(ticket: ticket, evicted: evicted))
    }

    /// After a failure Redis has to be sent everything again.
    private mutating func unlinkAfterFailure(_ answer: DirectoryAnswer, at now: Now) {
        guard case .failed(let error) = answer else { return }
        actions.append(.warn(error))
        unlink(at: now)
    }

    // MARK: The lease

    private mutating func beatWhenDue(at now: Now) {
        guard !isClosing, renewal.takeHeartbeat(at: now.monotonic) else { return }
        let isSubscribed = unsubscribedSince.map { now.monotonic < $0 + Self.subscriptionTimeout } ?? true
        guard isConnected, isSubscribed else { return unlink(at: now) }
        renewal.begin()
        actions.append(.send(.renewLease(began: now.monotonic)))
    }

    private mutating func didRenewLease(_ answer: DirectoryAnswer, began: Moment, at now: Now) {
        guard !isClosing else { return }
        guard case .lease(let isHeld, let others, let ended) = answer else {
            renewal.fail()
            unlink(at: now)
            return isolateWhenDue(at: now)
        }
        renewal.succeed(began: began, isHeld: isHeld, at: now.monotonic)
        self.others = others
        toSweep = ended
        if !isHeld, wasRegistered { actions.append(.deliver(.lapsed)) }
        switch link {
        case .up where isHeld: maintain(at: now)
        case .registering where isHeld: break
        case .up, .registering, .down: register(at: now)
        case .closing, .closed: break
        }
        beatWhenDue(at: now)
    }

    private mutating func unlink(at now: Now) {
        guard !isClosing else { return }
        // Changes since the registration began were sent to Redis only, which may not have them.
        if case .registering = link, isIsolated { deliverLocalUsersOnly() }
        link = .down
        downSince = downSince ?? now.monotonic
        comparison.abandon()
    }

    private mutating func isolateWhenDue(at now: Now) {
        guard !isSending, !isClosing, !isIsolated, let downSince, now.monotonic >= downSince + Self.isolation else {
            return
        }
        isIsolated = true
        deliverLocalUsersOnly()
    }

    private mutating func deliverLocalUsersOnly() {
        actions.append(.deliver(.everybody(local.all, isComplete: true)))
    }

    /// What happens here is delivered here while Redis does not announce it.
    private mutating func deliverLocally(_ change: UserPresence?) {
        if let change { actions.append(.deliver(.changed(change, origin: instance))) }
    }

    // MARK: Registering

    /// Sends everything that is here, a slice at a time. Changes from now on are sent behind it on the same connection. A
    /// session that changes before its slice is sent has the change in its record.
    private mutating func register(at now: Now) {
        attempt += 1
        comparison.abandon()
        // An earlier life of this instance, and its clients, have this long to come back.
        inventoryDue = now.monotonic + max(Self.lease, grace)
        let departures = local.takeDepartures()
        for (session, user) in departures.sessions {
            actions.append(.send(.remove(session, of: user, at: now.wall)))
        }
        for place in departures.places { actions.append(.send(.setPresent(place, false))) }
        link = .registering(PresenceRegistration(of: local))
        continueRegistration(at: now)
    }

    private mutating func continueRegistration(at now: Now) {
        guard case .registering(var registration) = link else { return }
        if let (records, places) = registration.nextSlice(of: local) {
            link = .registering(registration)
            return actions.append(.send(.register(records, places, at: now.wall, attempt: attempt)))
        }
        link = .up
        isIsolated = false
        wasRegistered = true
        downSince = nil
        maintain(at: now)
    }

    // MARK: What is done with each heartbeat

    private mutating func maintain(at now: Now) {
        actions.append(.send(.publishMark(marks.nextProof(began: renewal.began))))
        sweepNext(at: now)
        let users = keyRenewal.nextSlice(at: now.monotonic, heartbeat: Self.heartbeat) { local.all.map(\.user.userID) }
        if !users.isEmpty { actions.append(.send(.renewKeys(users))) }
        if let due = inventoryDue, now.monotonic >= due {
            inventoryDue = nil
            actions.append(.send(.readInventory))
        }
        if let request = comparison.beginWhenDue(at: now.monotonic) { actions.append(.send(request)) }
    }

    private mutating func sweepNext(at now: Now) {
        guard sweeping == nil, mayJudge(at: now.monotonic), let ended = toSweep.popLast() else { return }
        sweeping = ended
        actions.append(.send(.sweep(ended, at: now.wall)))
    }

    private mutating func didSweep(_ ended: InstanceID, _ answer: DirectoryAnswer, at now: Now) {
        let hasMore = answer == .swept(hasMore: true)
        if isClosing {
            if ended == instance { didSweepOwnSessions(hasMore: hasMore, at: now) }
        } else if hasMore, mayJudge(at: now.monotonic) {
            actions.append(.send(.sweep(ended, at: now.wall)))
        } else {
            sweeping = nil
            if case .failed = answer { toSweep = [] }
            sweepNext(at: now)
        }
    }

    /// Removes what an earlier life of this instance left, which ended without closing and began again before its lease was
    /// over.
    private mutating func didReadInventory(_ answer: DirectoryAnswer, at now: Now) {
        guard case .inventory(let sessions, let places) = answer else {
            inventoryDue = now.monotonic
            return
        }
        guard isSending else { return }
        let here = Set(local.records.map(\.id))
        for session in sessions where !here.contains(session.id) {
            actions.append(.send(.remove(session.id, of: session.user, at: now.wall)))
        }
        for place in places where !local.contains(place) { actions.append(.send(.setPresent(place, false))) }
    }

    // MARK: Comparing

    private mutating func didReadUsers(_ answer: DirectoryAnswer, of number: UInt64) {
        guard let next = comparison.didReadPage(answer, of: number, &marks) else { return }
        actions.append(.send(next))
    }

    private mutating func didPublish(_ mark: UInt64, _ answer: DirectoryAnswer, at now: Now) {
        comparison.didPublish(mark, answer, &marks, at: now.monotonic)
        finishComparisonWhenCaughtUp(at: now)
    }

    private mutating func finishComparisonWhenCaughtUp(at now: Now) {
        guard let users = comparison.takeResult(marks) else { return }
        // Until every lease had its time other instances may be registering again, as this one was.
        let isComplete = mayJudge(at: now.monotonic)
        if !isComplete { comparison.repeatSoon() }
        // A user may have been hidden elsewhere while no news came here.
        for presence in users { local.follow(presence) }
        actions.append(.deliver(.everybody(users, isComplete: isComplete)))
    }

    // MARK: Closing

    private mutating func didReleaseLease(_ answer: DirectoryAnswer, at now: Now) {
        guard case .lease(_, others: 0, _) = answer else { return finishClosing() }
        actions.append(.send(.sweep(instance, at: now.wall)))
    }

    private mutating func didSweepOwnSessions(hasMore: Bool, at now: Now) {
        guard !hasMore else { return actions.append(.send(.sweep(instance, at: now.wall))) }
        for var presence in local.all {
            (presence.actualStatus, presence.sessions) = (.offline, 0)
            deliverLocally(presence)
        }
        finishClosing()
    }

    private mutating func finishClosing() {
        link = .closed
        actions.append(.finishClosing)
    }

    private mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }
}
