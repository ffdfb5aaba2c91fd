import ChatDomain
import ChatProtocol
import Telemetry

/// A room on its home shard: performs what the values that decide about the room say, and feeds them what comes back.
final class HomeRoom {
    let id: RoomID
    private unowned let hub: RoomHub
    private let context: ShardContext
    private let broadcaster: RoomBroadcaster
    private let channel: RoomChannel
    private let queries: RoomQueries
    private var watchers: RoomWatchers?
    private var life: RoomLifecycle<RoomCommand>
    private var joins: RoomJoins
    private var comparison: StoreComparison
    /// The rules of the open room; nil while there is none.
    private var live: LiveRoom?
    private var audience = RoomAudience()
    private var timer: RoomTimer
    /// When the room is removed from memory if no command comes before.
    private var idleDeadline: Moment?
    private var isQueuedForWrite = false
    private var isGone = false
    /// What the room adds to the hub's pending bytes.
    private var pendingBytes = 0

    private var services: Services { context.services }
    private var now: Moment { context.now.monotonic }

    init(id: RoomID, hub: RoomHub, context: ShardContext) {
        self.id = id
        self.hub = hub
        self.context = context
        let services = context.services
        broadcaster = RoomBroadcaster(room: id, context: context)
        channel = RoomChannel(room: id, services: services)
        queries = RoomQueries(room: id, context: context)
        life = RoomLifecycle(
            id: id,
            policy: .init(
                isShared: services.bus != nil, createsGroups: services.configuration.createsRoomsOnJoin,
                storeTimeout: services.configuration.roomLimits.storeTimeout))
        joins = RoomJoins(isShared: services.bus != nil)
        comparison = StoreComparison(failures: hub.storeFailures)
        timer = RoomTimer(loop: context.loop)
        timer.onFire { [unowned self] in fire() }
    }

    var isOpen: Bool { life.isOpen }
    var isSubscribed: Bool { channel.isSubscribed }
    /// The newest number delivered here; 0 while the room is not open.
    var lastSequence: SequenceNumber { inPlace { $0.lastSequence } ?? 0 }

    /// Asks the live room, if there is one, without copying it: a copy retains all it holds, which several times a message is
    /// dear.
    private func inPlace<Answer>(_ ask: (inout LiveRoom) -> Answer) -> Answer? { live == nil ? nil : ask(&live!) }

    /// Asks a value of the room in the same way.
    private func inPlace<Value, Answer>(_ value: inout Value, _ ask: (inout Value) -> Answer) -> Answer { ask(&value) }

    // MARK: Commands

    func receive(_ command: RoomCommand) {
        switch life.received(command, contact: services.presence.directory.contact, at: now) {
        case .execute:
            execute(command)
            // A question leaves nothing to do later, but to keep the room for longer.
            if case .info = command { return idleDeadline = idleDeadline.map { _ in now + hub.idleTime } }
        case .wait(let actions): perform(actions)
        case .refuse(let error): return refuse(command, error)
        }
        idleDeadline = nil
        followUp()
    }

    private func execute(_ command: RoomCommand) {
        live?.liftStandings(at: context.now.wall)
        switch command {
        case .join(let session, let request, let user, let history, let encoding):
            let join = JoinRequest(
                session: session, request: request, user: user, history: history, form: encoding.form)
            drive {
                $0.received(
                    join, in: &$1, isSubscribed: isSubscribed, isHidden: services.presence.isHidden, at: now)
            }
        case .leave(let session, let request, let isBroken):
            audience.remove(session)
            perform(joins.didLeave(session))
            perform(live?.leave(session, isBroken: isBroken, at: now) ?? [])
            if let request { reply(.done, to: .session(session, request: request)) }
        case .send(let session, let origin, let message, let author, let since):
            send(message, by: author, from: session, origin: origin, since: since)
        case .change(let session, let origin, let request, let user, let isService, let since):
            guard hasPlaceForWrites(origin) else { return }
            finish(
                live?.change(
                    request, by: user, isService: isService, as: hub.nextMessageID(at: context.now.wall),
                    from: session, origin: origin, since: since, at: context.now), origin)
        case .typing(let session, let request, let isTyping):
            let origin = RequestOrigin.session(session, request: request)
            if finish(live?.setTyping(session, isTyping: isTyping, at: now), origin) { reply(.done, to: origin) }
        case .markRead(let session, let request, let sequence):
            let origin = RequestOrigin.session(session, request: request)
            finish(live?.markRead(session, sequence: sequence, origin: origin, at: now), origin)
        case .reencode(let session, let encoding):
            if audience.contains(session) { audience.insert(session, encoding) }
        case .info(let origin, let user, let visible):
            if let info = inPlace({ $0.info(by: user, showing: visible) }) { reply(.info(info), to: origin) }
        case .watch(let origin, let user, let shard):
            if let refusal = live?.refusal(of: user) { return reply(.refused(refusal), to: origin) }
            if watchers == nil { watchers = RoomWatchers(of: id, context: context) { [unowned self] in watched } }
            watchers?.add(shard)
            reply(.done, to: origin)
        case .visibility(let user):
            perform(live?.setHidden(user, services.presence.isHidden(user), at: now) ?? [])
        }
    }

    private func send(
        _ message: OutgoingMessage, by author: RoomUser, from session: SessionAddress?, origin: RequestOrigin,
        since: Moment?
    ) {
        guard hasPlaceForWrites(origin) else { return }
        let wall = context.now.wall
        let draft = MessageDraft(id: hub.nextMessageID(at: wall), body: message.body(from: author), timestamp: wall)
        hub.committer.noteTrace(parent: message.traceparent, of: draft.id)
        finish(live?.send(draft, from: session, origin: origin, since: since, at: now), origin)
    }

    /// Whether more may wait for the store; refuses the request otherwise.
    private func hasPlaceForWrites(_ origin: RequestOrigin) -> Bool {
        let hasPlace = hub.pendingBytes < services.configuration.maximumPendingBytes
        if !hasPlace { reply(.refused(.init(.overloaded, "too much waits for the store; try again")), to: origin) }
        return hasPlace
    }

    @discardableResult
    private func finish(_ result: Result<[RoomEffect], ChatError>?, _ origin: RequestOrigin) -> Bool {
        switch result {
        case .success(let effects):
            perform(effects)
            return true
        case .failure(let error):
            reply(.refused(error), to: origin)
            return false
        case nil: return false
        }
    }

    private func refuse(_ command: RoomCommand, _ error: ChatError) {
        guard let origin = command.origin else { return }
        // A session that wants to leave a room that is not there has left it.
        if case .leave = command { reply(.done, to: origin) } else { reply(.refused(error), to: origin) }
    }

    private func reply(_ reply: RoomReply, to origin: RequestOrigin) {
        switch origin {
        case .session(let session, let request):
            context.post(.reply(session, request: request, reply), to: session.shard)
        case .call(let ticket): services.calls.answer(ticket, reply)
        }
    }

    // MARK: The room's life

    private func perform(_ actions: [RoomLifecycle<RoomCommand>.Action]) { for action in actions { perform(action) } }

    private func perform(_ action: RoomLifecycle<RoomCommand>.Action) {
        switch action {
        case .read(let number): read(number)
        case .countCreation(let user):
            perform(life.didCountCreation(refusal: services.limits.refusalOfRoom(by: user, at: now), at: context.now))
        case .create(let room, let participants, let user, let number): create(room, participants, by: user, number)
        case .open(let snapshot): live = LiveRoom(snapshot, limits: services.configuration.roomLimits)
        case .refresh(let snapshot): for user in live?.refresh(snapshot, at: now) ?? [] { expel(user) }
        case .failRefresh: live?.failedToRefresh()
        case .apply(let change):
            for user in live?.apply(change) ?? [] { expel(user) }
            if change == .contentErased(needsResync: true) { broadcaster.resync(audience, at: lastSequence) }
        case .close: close()
        case .execute(let command): execute(command)
        case .reconsider: perform(life.reconsider(contact: services.presence.directory.contact, at: now))
        case .dispatch(let command): hub.dispatch(command, in: id)
        case .refuse(let command, let error): refuse(command, error)
        case .resume(.change(let notice)): hub.acknowledge(notice)
        case .resume(.subscription): drive { $0.didRefresh(&$1, at: now) }
        case .resume(.reconnection): hub.refreshNext()
        case .forget: forget()
        }
    }

    private func read(_ number: Int) {
        live?.willRefresh()
        queries.read { [self] result in
            perform(life.didRead(number: number, result, at: now))
            followUp()
        }
    }

    private func create(_ room: Room, _ participants: [UserID], by user: UserID, _ number: Int) {
        queries.create(room, participants, by: user) { [self] result in
            perform(life.didCreate(number: number, result, at: now))
            followUp()
        }
    }

    func follow(_ change: RoomChange, _ notice: ChangeNotice?) {
        perform(life.received(change, notice: notice, at: now))
        followUp()
    }

    /// Reads the room's present state; the hub is called at the end.
    func refresh() {
        perform(life.refresh(for: .reconnection, at: now))
        followUp()
    }

    private func expel(_ user: UserID) {
        guard let (sessions, effects) = live?.expel(user, at: now) else { return }
        let refusal = live?.refusal(of: user) ?? .roomUnavailable
        for session in sessions {
            audience.remove(session)
            context.post(.expelled(session, id, refusal), to: session.shard)
            perform(joins.didLeave(session))
        }
        perform(effects)
    }

    /// Puts out the users of a deleted room, and answers every request that waits for its store.
    private func close() {
        for user in live?.members.list(limit: .max) ?? [] { expel(user.userID) }
        for origin in live?.abandonWrites() ?? [] { perform(.reply(origin, .refused(.roomUnavailable))) }
        perform(joins.didClose())
        watchers?.end()
        let isWriting = live?.isWriting ?? false
        live = nil
        channel.setSubscribed(false)
        perform(life.didClose(isWriting: isWriting, at: now))
    }

    private func forget() {
        isGone = true
        timer.cancel()
        live = nil
        channel.setSubscribed(false)
        weigh()
        hub.forget(self)
    }

    // MARK: Joins

    /// Has the joins decide on an event, together with the room, and performs what they say.
    private func drive(_ event: (inout RoomJoins, inout LiveRoom) -> [RoomJoins.Action]) {
        if live != nil { perform(event(&joins, &live!)) }
    }

    private func perform(_ actions: [RoomJoins.Action]) {
        for action in actions {
            switch action {
            case .perform(let effects): perform(effects)
            case .countListeners(let round): countListeners(round)
            case .catchUp(let after, let number): catchUp(after, number)
            case .readPage(let query, let delivered): readPage(query, delivered)
            case .takeTurn(let number):
                context.slices.run { [self] in
                    drive { $0.didGetTurn(number: number, in: &$1, isShown: audience.contains, at: now) }
                    followUp()
                }
            case .show(let join, let view):
                audience.insert(join.session, join.encoding)
                broadcaster.show(view, to: join)
            case .refuse(let join, let error): reply(.refused(error), to: join.origin)
            }
        }
    }

    private func countListeners(_ round: Int) {
        queries.countOthers { [self] others in
            drive { $0.didCountListeners(round: round, others: others, in: &$1, at: now) }
            followUp()
        }
    }

    private func catchUp(_ after: SequenceNumber, _ number: Int) {
        queries.log(after: after) { [self] result in
            drive { $0.didCatchUp(number: number, result, in: &$1, isShown: audience.contains, at: now) }
            followUp()
        }
    }

    private func readPage(_ query: ViewQuery, _ delivered: SequenceNumber) {
        queries.page(query, delivered: delivered) { [self] result in
            drive { $0.didReadPage(query, result, in: &$1, isShown: audience.contains, at: now) }
            followUp()
        }
    }

    // MARK: The room's effects

    private func perform(_ effects: [RoomEffect]) { for effect in effects { perform(effect) } }

    private func perform(_ effect: RoomEffect) {
        switch effect {
        case .reply(let origin, let answer):
            if !joins.isEmpty { joins.didAnswer(origin) }
            reply(answer, to: origin)
        case .deliver(let entries): services.trace(.deliver, of: entries) { broadcaster.deliver(entries, to: audience) }
        case .publish(let entries): services.trace(.publish, of: entries) { channel.publish(entries) }
        case .share(let news): channel.share(news)
        case .announce(let announcement, let user): broadcaster.announce(announcement, to: audience, except: user)
        case .repair(let after): repair(after)
        case .readNewest: readNewest()
        case .resync(let sequence): resync(at: sequence)
        case .unrecord(let users): queries.unrecord(users)
        case .enrolled(let origin):
            drive {
                $0.didEnrol(
                    origin, in: &$1, isSubscribed: isSubscribed, isHidden: services.presence.isHidden, at: now)
            }
        case .tellDevices(let mark, let session): services.sendToDevices(mark, in: id, except: session)
        }
    }

    private func repair(_ after: SequenceNumber) {
        services.metrics.repairs.add()
        queries.log(after: after) { [self] result in
            let page = try? result.get()
            let reachedEnd = page?.hasMore == false
            perform(live?.repaired(page?.entries ?? [], reachedEnd: reachedEnd, at: now) ?? [])
            followUp()
        }
    }

    private func readNewest() {
        queries.newest { [self] result in
            perform(live?.didReadNewest(try? result.get(), at: now) ?? [])
            followUp()
        }
    }

    /// Has every session in the room begin again, and drops what the cache has of the room.
    private func resync(at sequence: SequenceNumber) {
        services.metrics.rewinds.add()
        services.storeLosses.error(
            "the store has lost messages it had acknowledged", ["room": id.value, "lastSeq": Int(sequence)])
        services.cache?.drop(id)
        broadcaster.resync(audience, at: sequence)
    }

    private var watched: (room: WatchedRoom, revision: UInt32)? {
        guard let live else { return nil }
        return (WatchedRoom(participants: live.participants, isOpen: live.admits(nil)), live.participantsRevision)
    }

    private var isWatched: Bool { watchers?.isEmpty == false }

    func unwatch(by shard: UInt16) {
        watchers?.remove(shard)
        followUp()
    }

    // MARK: Other instances

    func receive(_ news: RoomNews, from instance: InstanceID) {
        perform(live?.receive(news, from: instance, at: now) ?? [])
        if case .roster = news { drive { $0.receivedRoster(of: instance, in: &$1, at: now) } }
        followUp()
    }

    /// The subscription stands. Messages stored before that may not have been announced here, so the room is read again.
    func subscribed() {
        guard isSubscribed else { return }
        contactMade()
        perform(joins.didSubscribe())
        perform(life.refresh(for: .subscription, at: now))
        followUp()
    }

    /// Contact with other instances is there, for the first time or again.
    func contactMade() { conclude(live?.contactMade(at: now)) }
    func lost(_ instance: InstanceID) { conclude(live?.lost(instance, at: now)) }
    func compareRosters() { conclude(live?.compareRosters(at: now)) }

    private func conclude(_ effects: [RoomEffect]?) {
        perform(effects ?? [])
        followUp()
    }

    // MARK: Storing

    /// What the room wants of the store at the end of a turn.
    enum Submission {
        case nothing
        case write(RoomWrite)
        /// The room is to be compared with the store before it is written to.
        case compare
    }

    func submit(storeFailures: UInt64) -> Submission {
        isQueuedForWrite = false
        guard live != nil, !comparison.isPending else { return .nothing }
        guard comparison.isCurrent(failures: storeFailures) else { return .compare }
        return live?.nextWrite(at: now).map { .write($0) } ?? .nothing
    }

    func committed(_ outcome: RoomWriteOutcome) {
        let isClosing = inPlace(&life) { $0.isClosing }
        if isClosing { perform(life.didFinishLastWrite()) } else { perform(live?.committed(outcome, at: now) ?? []) }
        followUp()
    }

    /// The number of the comparison that begins; nil where none can.
    func beginComparison(storeFailures: UInt64) -> Int? {
        guard live != nil else { return nil }
        let timeout = services.configuration.roomLimits.storeTimeout
        return comparison.begin(failures: storeFailures, delivered: lastSequence, timeout: timeout, at: now)
    }

    /// - Parameter newest: the newest number the store has; nil where it did not answer.
    func didCompare(_ number: Int, newest: SequenceNumber?) {
        let verdict = comparison.didRead(number: number, newest: newest, at: now)
        if let verdict, inPlace({ $0.isWriting }) == false {
            switch verdict {
            case .complete(let newest): live?.announced(lastSequence: newest, at: now)
            case .rewound(let newest):
                perform(live?.rewind(to: newest) ?? [])
                channel.share(.rewound(to: newest))
            }
        }
        followUp()
    }

    /// The sweep looked the room's newest number up in the store.
    ///
    /// - Parameter delivered: the newest number delivered when it asked.
    func didSweep(delivered: SequenceNumber, newest: SequenceNumber) {
        guard newest < delivered else {
            live?.announced(lastSequence: newest, at: now)
            return followUp()
        }
        // One answer decides nothing: the room is compared in earnest.
        services.noteStoreFailure()
        if inPlace({ $0.isWriting }) == false { hub.compare([self]) }
    }

    // MARK: What remains to do

    /// Sees to what an event left to do later: a write, a timer, removing the room from memory.
    private func followUp() {
        guard !isGone else { return }
        weigh()
        if live != nil {
            if !isQueuedForWrite, !comparison.isPending, inPlace({ $0.hasWriteReady }) == true {
                isQueuedForWrite = true
                hub.queueForWriting(self)
            }
            // Where members wait between two messages, those on other instances count.
            let needsTraffic = inPlace { $0.room.slowModeSeconds > 0 } == true || inPlace(&joins) { $0.needsTraffic }
            channel.setSubscribed(!audience.isEmpty || needsTraffic || isWatched)
            if let watchers { _ = inPlace { watchers.participantsMayHaveChanged($0.participantsRevision) } }
        }
        schedule()
    }

    private func weigh() {
        let bytes = inPlace { $0.pendingBytes } ?? 0
        hub.pendingBytes += bytes - pendingBytes
        pendingBytes = bytes
    }

    private var isForgettable: Bool {
        inPlace { $0.isIdle } == true && !isQueuedForWrite && !comparison.isPending && !isWatched
            && inPlace(&life) { $0.isIdle } && inPlace(&joins) { $0.isEmpty }
    }

    private var deadline: Moment? {
        (inPlace { $0.deadline } ?? nil).orEarlier(inPlace(&life) { $0.deadline })
            .orEarlier(inPlace(&joins) { $0.deadline }).orEarlier(comparison.deadline).orEarlier(idleDeadline)
    }

    private func schedule() {
        if !isForgettable { idleDeadline = nil } else if idleDeadline == nil { idleDeadline = now + hub.idleTime }
        if let deadline { timer.set(for: deadline) }
    }

    private func fire() {
        timer.didFire()
        if let idleDeadline, idleDeadline <= now, isForgettable { return forget() }
        perform(life.tick(at: now))
        drive { $0.tick(&$1, isShown: audience.contains, at: now) }
        comparison.tick(at: now)
        perform(live?.tick(at: now) ?? [])
        followUp()
    }
}
