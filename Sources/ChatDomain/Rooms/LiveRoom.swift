/// A room at work on its home shard: its members, its writes, its deliveries.
///
/// A value without clock or I/O: commands and the time go in, effects come out. `deadline` says when `tick` is due.
public struct LiveRoom: Sendable {
    public private(set) var room: Room
    private var rights: RoomRights
    public private(set) var participants: Set<UserID> { didSet { participantsRevision &+= 1 } }
    /// Moves on whenever the participants may have changed.
    public private(set) var participantsRevision: UInt32 = 0
    let limits: RoomLimits
    private var attendance = RoomAttendance()
    private var timeline: MessageTimeline
    private var writes: WriteQueue
    private var typing = RoomTyping()
    private var stateNews = StateNews()
    /// How far users have read.
    private var readMarks: ReadMarkBoard
    /// Read marks beyond the newest message known here, while the store is asked for it.
    private var distantMarks: [(session: SessionAddress, sequence: SequenceNumber, origin: RequestOrigin)] = []
    /// Users that became participants (true) or ceased to be since the store was asked what the room is; nil while it is not.
    private var sinceAsked: [UserID: Bool]?

    public init(_ snapshot: RoomSnapshot, limits: RoomLimits) {
        room = snapshot.room
        rights = RoomRights(snapshot)
        participants = snapshot.participants
        timeline = MessageTimeline(after: snapshot.lastSequence)
        readMarks = ReadMarkBoard(snapshot.readMarks)
        writes = WriteQueue(timeout: limits.storeTimeout)
        self.limits = limits
    }

    // MARK: What it is

    public var authority: RoomAuthority { rights.authority }
    public var lastSequence: SequenceNumber { timeline.lastSequence }
    public var members: RoomMembers { attendance.members }
    /// Users others see present on any instance, each once.
    public var online: Int { attendance.online }

    /// The room in numbers, of which `online` counts visible users.
    public func state(showing visible: VisibleUsers) -> RoomState {
        var state = state
        state.online = attendance.online(visible)
        return state
    }

    /// Nothing here would be lost if the room were forgotten and loaded again.
    public var isIdle: Bool {
        attendance.members.isEmpty && writes.isIdle && typing.isEmpty && timeline.isWhole && distantMarks.isEmpty
    }

    /// What drafts of this room weigh that are not stored yet, in bytes.
    public var pendingBytes: Int { writes.bytes }

    /// Builds what a joining session sees. The page, if one was read, is joined with what was delivered meanwhile.
    public mutating func view(_ history: HistoryRequest, page: ViewPage? = nil) -> ViewResult {
        switch timeline.excerpt(for: history, page, base: room.historyBase) {
        case .read(let query): .read(query)
        case .messages(let messages, let changed, let needsResync):
            .view(
                RoomView(
                    messages: messages, changed: changed, state: state(showing: history.visible),
                    users: attendance.list(limit: limits.announcedUsers, history.visible),
                    readMarks: readMarks.newest, needsResync: needsResync))
        }
    }

    // MARK: Changes made from outside

    /// Changes what the room is; users that are present and may no longer be.
    public mutating func revise(_ revision: RoomRevision, at time: Timestamp) -> [UserID] {
        room.revise(revision, at: time)
        return presentUsers.filter { !admits($0) }
    }

    /// Changes what is on record about a user. One that was banned is still to be expelled.
    mutating func apply(_ change: StandingChange) { rights.apply(change) }

    /// Ends bans and mutes whose time is over. To be called before a command is judged.
    public mutating func liftStandings(at now: Timestamp) { rights.lift(at: now) }

    private var presentUsers: [UserID] { attendance.members.list(limit: .max).map(\.userID) }

    /// Takes a user for a participant that the store has as one already.
    public mutating func admit(_ user: UserID) {
        sinceAsked?[user] = true
        if !participants.contains(user) { participants.insert(user) }
    }

    private mutating func dismiss(_ user: UserID) {
        sinceAsked?[user] = false
        if participants.contains(user) { participants.remove(user) }
    }

    /// The store is about to be asked what the room is: what changes from here on is newer than its answer.
    public mutating func willRefresh() { sinceAsked = [:] }

    /// The store gave no answer.
    public mutating func failedToRefresh() { sinceAsked = nil }

    /// Takes the room as the store has it; the users present that may no longer be, those removed elsewhere among them.
    public mutating func refresh(_ snapshot: RoomSnapshot, at now: Moment) -> [UserID] {
        room = snapshot.room
        rights.refresh(snapshot)
        var current = snapshot.participants
        for (user, isParticipant) in sinceAsked ?? [:] {
            if isParticipant { current.insert(user) } else { current.remove(user) }
        }
        sinceAsked = nil
        let gone = participants.subtracting(current)
        if current != participants { participants = current }
        for mark in snapshot.readMarks { readMarks.note(mark) }
        // A change that was not heard of may have erased messages.
        timeline.forgetContent()
        announced(lastSequence: snapshot.lastSequence, at: now)
        return presentUsers.filter { gone.contains($0) || !admits($0) }
    }

    // MARK: Coming and going

    /// What comes before a join: a user that becomes a participant by it is one in the store before the join is answered, so
    /// that every message sent after the answer has that user among its receivers.
    public mutating func enrol(
        _ user: UserID, origin: RequestOrigin, at now: Moment
    ) -> Result<Enrolment, ChatError> {
        if let refusal = refusal(of: user) { return .failure(refusal) }
        guard !participants.contains(user), participants.count < limits.maximumParticipants else {
            return .success(.done)
        }
        writes.add(.init(user: user, origin: origin, deadline: now + limits.storeTimeout))
        return .success(.underWay)
    }

    /// Lets a session in. The effects announce it to others.
    ///
    /// - Parameter isHidden: whether others are not to know of the user.
    public mutating func join(
        _ user: RoomUser, session: SessionAddress, isHidden: Bool = false, at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        if let refusal = refusal(of: user.userID) { return .failure(refusal) }
        guard let changes = attendance.join(user, session: session, isHidden: isHidden) else {
            return .success(setHidden(user.userID, isHidden, at: now))
        }
        return .success(effects(of: changes, at: now))
    }

    /// Hides a user from the others here and elsewhere, or shows the user again.
    public mutating func setHidden(_ user: UserID, _ isHidden: Bool, at now: Moment) -> [RoomEffect] {
        guard let (user, changes) = attendance.setHidden(user, isHidden) else { return [] }
        return (isHidden ? endTyping(user, at: now) : []) + effects(of: changes, at: now)
    }

    /// - Parameter isBroken: the connection ended without a closing handshake, so the grace period applies.
    public mutating func leave(_ session: SessionAddress, isBroken: Bool, at now: Moment) -> [RoomEffect] {
        switch attendance.leave(session, grace: isBroken ? now + limits.gracePeriod : nil) {
        case .userRemains: []
        case .inGrace(let user): endTyping(user, at: now)
        case .gone(let user, let changes): endTyping(user, at: now) + effects(of: changes, at: now)
        }
    }

    /// Takes away a user's right to this room. Returns the sessions to notify.
    public mutating func expel(_ user: UserID, at now: Moment) -> (sessions: Set<SessionAddress>, effects: [RoomEffect])
    {
        dismiss(user)
        let refusal = refusal(of: user) ?? .roomUnavailable
        let refusals = writes.revoke(user).map { RoomEffect.reply($0, .refused(refusal)) }
        guard let (present, sessions, changes) = attendance.remove(user) else { return ([], refusals) }
        return (sessions, refusals + endTyping(present, at: now) + effects(of: changes, at: now))
    }

    private mutating func effects(of changes: [RoomAttendance.Change], at now: Moment) -> [RoomEffect] {
        var effects: [RoomEffect] = []
        for change in changes {
            switch change {
            case .announce(let announcement): effects += announcePresence(announcement, at: now)
            case .share(let news): effects.append(.share(news))
            }
        }
        return effects
    }

    private mutating func announcePresence(_ announcement: RoomAnnouncement, at now: Moment) -> [RoomEffect] {
        guard !isBig || limits.isForFriendsOnly else {
            stateNews.noteChange(at: now)
            return stopTyping(announcement, at: now)
        }
        switch announcement {
        case .joined(let user): return [.announce(announcement, except: user.userID)]
        case .left(let user): return stopTyping(announcement, at: now) + [.announce(announcement, except: user.userID)]
        default: return [.announce(announcement, except: nil)]
        }
    }

    /// So many users are present that comings and goings show as counts.
    private var isBig: Bool { online > limits.announcedUsers }

    // MARK: Typing

    public mutating func setTyping(
        _ session: SessionAddress, isTyping: Bool, at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        guard let user = attendance.members.user(of: session) else { return .failure(.notJoined) }
        if isTyping, let refusal = authority.refusalOfMessage(by: user.userID, in: room) { return .failure(refusal) }
        let announced = typing.set(user, isTyping: isTyping, isBig: isBig, at: now)
        // Other instances end it by themselves too, so repeats are sent to them.
        let share = announced != nil || isTyping ? [RoomEffect.share(.typing(user, isTyping: isTyping))] : []
        return .success((announced ?? []) + share)
    }

    /// A user that left is not typing, wherever the user was.
    private mutating func stopTyping(_ announcement: RoomAnnouncement, at now: Moment) -> [RoomEffect] {
        guard case .left(let user) = announcement else { return [] }
        return typing.set(user, isTyping: false, isBig: isBig, at: now) ?? []
    }

    /// Ends the typing of a user of this instance, for those on others too.
    private mutating func endTyping(_ user: RoomUser, at now: Moment) -> [RoomEffect] {
        guard let announced = typing.set(user, isTyping: false, isBig: isBig, at: now) else { return [] }
        return announced + [.share(.typing(user, isTyping: false))]
    }

    // MARK: Other instances

    /// Takes news of another instance.
    public mutating func receive(_ news: RoomNews, from instance: InstanceID, at now: Moment) -> [RoomEffect] {
        switch news {
        case .message(let message): return received([.message(message)], at: now)
        case .change(let change): return received([.change(change)], at: now)
        case .present(let digest):
            return attendance.agrees(digest, of: instance) ? [] : [.share(.roster(attendance.localRoster, asks: true))]
        case .rewound(let sequence): return rewind(to: sequence)
        case .joined(let user): return effects(of: attendance.add(user, of: instance), at: now)
        case .left(let user): return effects(of: attendance.remove(user, of: instance), at: now)
        case .typing(let user, let isTyping):
            return typing.set(user, isTyping: isTyping, isBig: isBig, at: now) ?? []
        case .read(let user, let sequence):
            readMarks.note(ReadMark(userID: user.userID, sequence: sequence))
            return [.announce(.read(user, sequence), except: user.userID)]
        case .participant(let user):
            admit(user)
            return []
        case .roster(let users, let asks):
            let effects = effects(of: attendance.replace(users, of: instance), at: now)
            return asks ? effects + [.share(.roster(attendance.localRoster, asks: false))] : effects
        }
    }

    /// The subscription to the others' traffic stands. The effects send the roster of this instance and request the others'.
    public mutating func contactMade(at now: Moment) -> [RoomEffect] {
        attendance.doubtOthers(at: now)
        return [.share(.roster(attendance.localRoster, asks: true))]
    }

    /// Sends the digest of this instance's roster, and forgets instances that have stopped to send theirs: their `left` was
    /// lost. To be called every half a minute.
    public mutating func compareRosters(at now: Moment) -> [RoomEffect] {
        let left = effects(of: attendance.endRound(), at: now)
        guard !attendance.members.isEmpty else { return left }
        return left + [.share(.present(RosterDigest(attendance.localRoster.lazy.map(\.userID))))]
    }

    /// Another instance is dead; what it said of its users no longer holds.
    public mutating func lost(_ instance: InstanceID, at now: Moment) -> [RoomEffect] {
        effects(of: attendance.drop(instance), at: now)
    }

    // MARK: Messages

    /// Takes a message up for storing. The answer comes with the store's.
    ///
    /// - Parameters:
    ///   - session: where it came from; nil for REST, where the right to enter is enough.
    ///   - since: when it came, from which its sender's time to wait counts; nil for now.
    public mutating func send(
        _ draft: MessageDraft, from session: SessionAddress?, origin: RequestOrigin, since: Moment? = nil,
        at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        var draft = draft
        if let error = refusal(of: draft.body.author, in: session) ?? rights.refusal(of: draft, in: room) {
            return .failure(error)
        }
        guard draft.body.normalizeReply() else { return .failure(.noSuchReply) }
        draft.body.mentions.removeAll { !admits($0) }
        if let error = store(.message(draft), origin: origin, since: since, at: now) { return .failure(error) }
        rights.noteSender(of: draft, in: room)
        guard !typing.isEmpty else { return .success([]) }
        return .success(endTyping(RoomUser(userID: draft.body.author, username: draft.body.username), at: now))
    }

    /// Takes a change of a message up for storing. The answer comes with the store's.
    ///
    /// - Parameters:
    ///   - isService: whether a trusted service asks, which needs no membership.
    ///   - session, since: see `send`.
    public mutating func change(
        _ request: MessageChangeRequest, by user: RoomUser, isService: Bool, as id: MessageID,
        from session: SessionAddress?, origin: RequestOrigin, since: Moment? = nil, at now: Now
    ) -> Result<[RoomEffect], ChatError> {
        if !isService, let error = refusal(of: user.userID, in: session) { return .failure(error) }
        switch MessageRules(editWindow: limits.editWindow).draft(
            of: request, by: user, isService: isService, rights.authority, as: id, in: room, at: now.wall)
        {
        case .failure(let error): return .failure(error)
        case .success(var draft):
            draft.keepMentions(where: admits)
            let error = store(.change(draft), origin: origin, since: since, at: now.monotonic)
            return error.map { .failure($0) } ?? .success([])
        }
    }

    /// Why a user may not write from there; nil for a user that may.
    private func refusal(of user: UserID, in session: SessionAddress?) -> ChatError? {
        guard let session else { return refusal(of: user) }
        return attendance.members.contains(session) ? nil : .notJoined
    }

    private mutating func store(
        _ draft: RoomDraft, origin: RequestOrigin, since: Moment?, at now: Moment
    ) -> ChatError? {
        let deadline = (since ?? now) + limits.storeTimeout
        guard deadline > now else { return .storageUnavailable }
        guard writes.canStore(by: deadline, at: now) else { return .roomOverloaded }
        writes.add(.init(draft: draft, origin: origin, deadline: deadline))
        return nil
    }

    /// Takes entries that another instance stored.
    public mutating func received(_ entries: [RoomLogEntry], at now: Moment) -> [RoomEffect] {
        deliver(timeline.admit(entries, at: now)).map { [$0] } ?? []
    }

    /// Takes what the store holds after the number `repair` named.
    ///
    /// - Parameter reachedEnd: these are all entries of the store. A number that was announced before the read and is not among
    ///   them does not exist, and is waited for no longer.
    public mutating func repaired(_ entries: [RoomLogEntry], reachedEnd: Bool, at now: Moment) -> [RoomEffect] {
        deliver(timeline.repair(with: entries, reachedEnd: reachedEnd, at: now)).map { [$0] } ?? []
    }

    /// Learns that the room has entries up to `sequence`, as the store or another instance says.
    public mutating func announced(lastSequence sequence: SequenceNumber, at now: Moment) {
        timeline.announce(sequence, at: now)
    }

    /// Learns that the store has nothing after `sequence`: it lost what it had acknowledged, and what was delivered of it is
    /// not there any more. Nothing happens where no more than that was delivered.
    public mutating func rewind(to sequence: SequenceNumber) -> [RoomEffect] {
        timeline.rewind(to: sequence) ? [.resync(lastSequence: sequence)] : []
    }

    /// The store has erased messages. What is kept of them here may hold their texts.
    mutating func forgetContent() { timeline.forgetContent() }

    private mutating func deliver(_ ready: [RoomLogEntry]) -> RoomEffect? {
        for case .message(let message) in ready {
            rights.noteSender(of: message, in: room)
            readMarks.note(ReadMark(userID: message.body.author, sequence: message.sequence))
        }
        return ready.isEmpty ? nil : .deliver(ready)
    }

    // MARK: Read marks

    /// Takes a read mark up for storing. A mark beyond the newest message known here may be of one that another instance has
    /// just stored: the store is asked first, once for all marks that wait.
    public mutating func markRead(
        _ session: SessionAddress, sequence: SequenceNumber, origin: RequestOrigin, at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        guard let user = attendance.members.user(of: session) else { return .failure(.notJoined) }
        guard sequence <= lastSequence else {
            distantMarks.append((session, sequence, origin))
            return .success(distantMarks.count == 1 ? [.readNewest] : [])
        }
        store(sequence, of: user, origin: origin, at: now)
        return .success([])
    }

    /// Takes the store's newest number, as `readNewest` asked for it; marks beyond it mean it.
    ///
    /// - Parameter newest: nil where the store did not answer.
    public mutating func didReadNewest(_ newest: SequenceNumber?, at now: Moment) -> [RoomEffect] {
        let marks = distantMarks
        distantMarks = []
        guard let newest else { return marks.map { .reply($0.origin, .refused(.storageUnavailable)) } }
        announced(lastSequence: newest, at: now)
        return marks.compactMap { mark in
            guard let user = attendance.members.user(of: mark.session) else {
                return .reply(mark.origin, .refused(.notJoined))
            }
            store(min(mark.sequence, max(lastSequence, newest)), of: user, origin: mark.origin, at: now)
            return nil
        }
    }

    private mutating func store(
        _ sequence: SequenceNumber, of user: RoomUser, origin: RequestOrigin, at now: Moment
    ) {
        let mark = ReadMark(userID: user.userID, sequence: sequence)
        writes.add(.init(mark: mark, user: user, origin: origin, deadline: now + limits.storeTimeout))
    }

    // MARK: Storing

    /// Whether `nextWrite` has something.
    public var hasWriteReady: Bool { writes.inFlight == nil && writes.hasWork }

    /// Whether the store has not answered the last `nextWrite` yet.
    public var isWriting: Bool { writes.inFlight != nil }

    /// Gives up every request that waits for the store, and forgets what it was not given yet.
    public mutating func abandonWrites() -> [RequestOrigin] {
        let marks = distantMarks
        distantMarks = []
        return writes.expire(at: Moment(milliseconds: .max)) + marks.map(\.origin)
    }

    /// What to store next, if anything; `committed` must follow before there is more.
    public mutating func nextWrite(at now: Moment) -> RoomWrite? {
        writes.next(in: room.id, lastKnown: lastSequence, at: now)
    }

    /// Takes the store's answer to the last `nextWrite`.
    public mutating func committed(_ outcome: RoomWriteOutcome, at now: Moment) -> [RoomEffect] {
        let written = writes.finish(at: now)
        var effects: [RoomEffect] = []
        // The answers, and what is stored is published and delivered.
        effects.reserveCapacity(written.drafts.count + 2)
        var stored: [RoomLogEntry] = []
        for (draft, result) in zip(written.drafts, outcome.drafts) {
            if let origin = draft.origin { effects.append(.reply(origin, result.reply(to: draft.draft))) }
            if let entry = result.entry(of: draft.draft, in: room.id) { stored.append(entry) }
            // The instance that stored the first may not have come to telling others.
            if let earlier = result.earlierSequence { announced(lastSequence: earlier, at: now) }
            if result.isRefusal, let message = draft.draft.message { rights.forgetSender(of: message) }
        }
        if let first = stored.first, timeline.contradicts(first) {
            effects += rewind(to: first.sequence - 1) + [.share(.rewound(to: first.sequence - 1))]
        }
        if !stored.isEmpty { effects.append(.publish(stored)) }
        if let delivery = deliver(timeline.admit(stored, at: now)) { effects.append(delivery) }
        for (mark, result) in zip(written.marks, outcome.readMarks) { effects += marked(mark, result) }
        // Behind the messages: a joining session is shown the room with them, and must not get them once more.
        return written.enrolments.isEmpty ? effects : effects + enrolled(written.enrolments, outcome)
    }

    private mutating func marked(_ mark: WriteQueue.Mark, _ result: Result<Bool, StoreError>) -> [RoomEffect] {
        var effects: [RoomEffect] = []
        if let origin = mark.origin {
            let failed = (try? result.get()) == nil
            effects.append(.reply(origin, failed ? .refused(.storageUnavailable) : .done))
        }
        guard case .success(true) = result else { return effects }
        readMarks.note(mark.mark)
        effects.append(.tellDevices(mark.mark, except: mark.origin?.session))
        // Reading shows that its user is there, which others are not to know of a hidden one.
        guard !attendance.isHidden(mark.user.userID) else { return effects }
        effects.append(.announce(.read(mark.user, mark.mark.sequence), except: mark.user.userID))
        effects.append(.share(.read(mark.user, mark.mark.sequence)))
        return effects
    }

    /// The store's answer to joining users.
    private mutating func enrolled(_ enrolments: [WriteQueue.Enrolment], _ outcome: RoomWriteOutcome) -> [RoomEffect] {
        if let failure = outcome.participantsFailure {
            let error: ChatError = if case .rejected = failure { .roomUnavailable } else { .storageUnavailable }
            return enrolments.compactMap(\.origin).map { .reply($0, .refused(error)) }
        }
        var effects: [RoomEffect] = []
        let recorded = enrolments.filter { !outcome.unrecordedParticipants.contains($0.user) }
        let revoked = Set(recorded.filter { $0.isRevoked && !writes.isEnrolling($0.user) }.map(\.user))
        if !revoked.isEmpty { effects.append(.unrecord(Array(revoked))) }
        for enrolment in recorded where !enrolment.isRevoked && !participants.contains(enrolment.user) {
            admit(enrolment.user)
            effects.append(.share(.participant(enrolment.user)))
        }
        return effects + enrolments.compactMap(\.origin).map { .enrolled($0) }
    }

    // MARK: Time

    /// When `tick` has something to do.
    public var deadline: Moment? {
        typing.deadline.orEarlier(attendance.deadline).orEarlier(stateNews.due).orEarlier(timeline.repairDue)
            .orEarlier(writes.nextDeadline)
    }

    public mutating func tick(at now: Moment) -> [RoomEffect] {
        var effects = typing.tick(isBig: isBig, at: now)
        for (user, changes) in attendance.depart(at: now) {
            effects += endTyping(user, at: now) + self.effects(of: changes, at: now)
        }
        for origin in writes.expire(at: now) { effects.append(.reply(origin, .refused(.storageUnavailable))) }
        if stateNews.take(at: now) { effects.append(.announce(.state(state), except: nil)) }
        effects += self.effects(of: attendance.dropDoubtful(at: now), at: now)
        if let after = timeline.takeRepair(at: now) { effects.append(.repair(after: after)) }
        return effects
    }
}
