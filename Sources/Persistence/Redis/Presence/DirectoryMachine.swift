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
/// - The presence of users with sessions here, and of followed users, is delivered; `FollowedUsers` decides what is new.
struct DirectoryMachine {
    /// How long a lease holds.
    static let lease: Duration = .seconds(10)
    /// Between two renewals of the lease.
    static let heartbeat: Duration = .milliseconds(2500)
    /// After this time without Redis the users of other instances are no longer shown.
    static let isolation: Duration = .seconds(15)
    /// After this time without a subscription Redis counts as away.
    static let subscriptionTimeout: Duration = .seconds(5)

    typealias Action = DirectoryAction

    private let instance: InstanceID
    private let grace: Duration
    private let maximumSessions: Int

    private var local = LocalPresence()
    private var marks = ContactMarks()
    private var renewal = LeaseRenewal()
    private var followed = FollowedUsers()
    private var keyRenewal = KeyRenewal()
    private var actions: [Action] = []
    private var link = DirectoryLink.down
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
    private var sweeps = SweepQueue()
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
        return renewal.deadline.orEarlier(isolation)
    }

    /// Whether changes here are sent to Redis, and those of other instances come from there.
    var isSending: Bool { link.isSending }

    var otherInstances: Int { isSending ? others : 0 }
    var isNameShared: Bool { marks.isNameShared }
    /// How many users' presence is kept.
    var keptUsers: Int { followed.count }
    var localOnlineCount: Int { local.onlineCount }
    func presence(of user: UserID) -> UserPresence? { local.presence(of: user) }
    func sessions(of user: UserID) -> [SessionRecord] { local.sessions(of: user) }
    mutating func localOnline(after cursor: UserID?, limit: Int) -> OnlineSlice {
        local.online(after: cursor, limit: limit)
    }
    /// Whether this instance may take another's lease for ended.
    func mayJudge(at now: Moment) -> Bool { renewal.mayJudge(at: now) }

    private var isClosing: Bool { link.isClosing }

    // MARK: Sessions and rooms

    mutating func connect(_ record: SessionRecord, ticket: UInt64) -> [Action] {
        let outcome = local.connect(record, limit: isSending ? 0 : maximumSessions)
        followed.beginLocal(record.user.userID)
        if isSending {
            actions.append(.send(.connect(record, ticket: ticket)))
            sendNextQuestion()
        } else {
            deliverLocally(outcome.change)
            actions.append(.completeConnect(ticket: ticket, evicted: outcome.evicted))
        }
        return takeActions()
    }

    mutating func update(
        _ session: SessionID, of user: UserID, _ update: SessionUpdate, at time: Timestamp
    ) -> [Action] {
        let mayWait = update == .disconnected && local.leavesNothingBehind(user)
        let change = local.update(session, of: user, update, at: time)
        if isSending {
            if case .requestedStatus = update { local.didSendStatusRequest(of: user) }
            let request = DirectoryRequest.update(session, of: user, update, at: time)
            actions.append(mayWait ? .sendSoon(request) : .send(request))
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
        if local.presence(of: user) == nil, followed.endLocal(user) { forget([user]) }
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

    // MARK: Following

    mutating func follow(_ users: [UserID]) -> [Action] {
        followed.follow(users)
        sendNextQuestion()
        return takeActions()
    }

    mutating func unfollow(_ users: [UserID]) -> [Action] {
        forget(followed.unfollow(users))
        return takeActions()
    }

    mutating func followEverybody(at now: Now) -> [Action] {
        followed.followEverybody()
        if case .up = link { beginRoundWhenDue(at: now) }
        return takeActions()
    }

    mutating func unfollowEverybody(at now: Now) -> [Action] {
        followed.unfollowEverybody(at: now.monotonic)
        return takeActions()
    }

    mutating func load(_ users: [UserID], ticket: UInt64) -> [Action] {
        if followed.load(users, ticket: ticket) { completeLoad([ticket]) } else { sendNextQuestion() }
        return takeActions()
    }

    private mutating func sendNextQuestion() {
        guard isSending, let question = followed.takeRequest() else { return }
        actions.append(.send(question))
    }

    private mutating func beginRoundWhenDue(at now: Now) {
        followed.beginRoundWhenDue(at: now.monotonic)
        sendNextQuestion()
    }

    private mutating func didReadUsers(_ answer: DirectoryAnswer, of number: UInt64, at now: Now) {
        take(followed.receivedAnswer(answer, of: number, mayJudge: mayJudge(at: now.monotonic)))
    }

    private mutating func take(_ outcome: FollowedUsers.Outcome) {
        // A user may have been hidden elsewhere while no news came here.
        for presence in outcome.learned + outcome.compared { local.follow(presence) }
        if !outcome.learned.isEmpty { actions.append(.deliver(.learned(outcome.learned))) }
        if !outcome.compared.isEmpty { actions.append(.deliver(.compared(outcome.compared))) }
        forget(outcome.forgotten)
        completeLoad(outcome.loaded)
        sendNextQuestion()
    }

    private mutating func forget(_ users: [UserID]) {
        if !users.isEmpty { actions.append(.deliver(.forgotten(users))) }
    }

    private mutating func completeLoad(_ tickets: [UInt64]) {
        if !tickets.isEmpty { actions.append(.completeLoad(tickets: tickets)) }
    }

    // MARK: Life

    mutating func start(at now: Now) -> [Action] {
        downSince = now.monotonic
        unsubscribedSince = now.monotonic
        renewal.schedule(at: now.monotonic)
        return tick(at: now)
    }

    mutating func tick(at now: Now) -> [Action] {
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
        completeLoad(followed.abandon())
        followed.forgetVersions()
        marks.loseContact()
        actions.append(.setContact(marks.contact))
        unsubscribedSince = isUp ? nil : now.monotonic
        if isUp { renewal.schedule(at: now.monotonic) }
        return tick(at: now)
    }

    /// Leaves disconnected sessions to the grace period of the other instances, or removes all where there is no other.
    mutating func close() -> [Action] {
        switch link {
        case .closing: return []
        case .closed: return [.finishClosing]
        case .down, .registering, .up: break
        }
        link = .closing
        completeLoad(followed.pause())
        sweeps.removeAll()
        return takeActions() + [.send(.releaseLease)]
    }

    // MARK: What comes over the subscription

    mutating func received(_ news: PresenceCodec.News, at now: Now) -> [Action] {
        guard isSending else { return [] }
        switch news {
        case .changed(let statement, let before, let origin):
            receivedChange(statement, PresenceNews(statement.presence, before: before, origin: origin))
        case .lost(let lost):
            if lost != instance { actions.append(.deliver(.lost(lost))) }
        }
        return takeActions()
    }

    private mutating func receivedChange(_ statement: PresenceStatement, _ news: PresenceNews) {
        let verdict = followed.receivedNews(statement)
        guard verdict != .passes else { return actions.append(.deliver(.passed(news))) }
        let user = news.presence.user.userID
        if isOlderThanRegistration(news.origin) { followed.doubt(user) } else { local.follow(news.presence) }
        actions.append(.deliver(.changed(news, isFirst: verdict == .first)))
        if news.presence.isGone, !followed.keeps(user) { forget([user]) }
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
        case .readUsers(_, let number), .scanUsers(_, let number): didReadUsers(answer, of: number, at: now)
        case .countOnline:
            if case .count(let online) = answer, isSending { actions.append(.deliver(.counted(online: online))) }
        case .publishMark:
            if case .published(let listeners) = answer { marks.didPublish(listeners: listeners, at: now.monotonic) }
        case .register, .renewKeys: break
        }
        return takeActions()
    }

    private mutating func didConnect(
        _ record: SessionRecord, _ ticket: UInt64, _ answer: DirectoryAnswer, at now: Now
    ) {
        guard case .connected(let status, let presence, let evicted) = answer else {
            actions.append(.completeConnect(ticket: ticket, evicted: []))
            return unlinkAfterFailure(answer, at: now)
        }
        if let status, status != record.requestedStatus { local.adopt(status, for: record, at: now.wall) }
        take(followed.receivedArrival(presence, of: record.user.userID))
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
        sweeps.replace(with: ended)
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
        completeLoad(followed.pause())
    }

    private mutating func isolateWhenDue(at now: Now) {
        guard !isSending, !isClosing, !isIsolated, let downSince, now.monotonic >= downSince + Self.isolation else {
            return
        }
        isIsolated = true
        deliverLocalUsersOnly()
    }

    private mutating func deliverLocalUsersOnly() {
        let (gone, forgotten) = followed.isolate()
        actions.append(.deliver(.compared(gone + local.all)))
        forget(forgotten)
        actions.append(.deliver(.counted(online: local.onlineCount)))
    }

    /// What happens here is delivered here while Redis does not announce it.
    private mutating func deliverLocally(_ change: UserPresence?) {
        guard let change else { return }
        followed.didDeliver(change.user.userID)
        let news = PresenceNews(change, before: nil, origin: instance)
        actions.append(.deliver(.changed(news, isFirst: false)))
        if isIsolated { actions.append(.deliver(.counted(online: local.onlineCount))) }
    }

    // MARK: Registering

    /// Sends everything that is here, a slice at a time. Changes from now on are sent behind it on the same connection. A
    /// session that changes before its slice is sent has the change in its record.
    private mutating func register(at now: Now) {
        attempt += 1
        completeLoad(followed.abandon())
        followed.resume()
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
        actions.append(.send(.countOnline))
        forget(followed.dropEverybodyWhenDue(at: now.monotonic))
        beginRoundWhenDue(at: now)
    }

    private mutating func sweepNext(at now: Now) {
        guard mayJudge(at: now.monotonic), let ended = sweeps.takeNext() else { return }
        actions.append(.send(.sweep(ended, at: now.wall)))
    }

    private mutating func didSweep(_ ended: InstanceID, _ answer: DirectoryAnswer, at now: Now) {
        let hasMore = answer == .swept(hasMore: true)
        if isClosing {
            if ended == instance { didSweepOwnSessions(hasMore: hasMore, at: now) }
        } else if hasMore, mayJudge(at: now.monotonic) {
            actions.append(.send(.sweep(ended, at: now.wall)))
        } else {
            sweeps.finish()
            if case .failed = answer { sweeps.removeAll() }
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
