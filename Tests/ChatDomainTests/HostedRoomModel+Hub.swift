import TestSupport

@testable import ChatDomain

/// What a hub does with its machines.
extension HostedRoomModel {
    // MARK: Commands

    mutating func dispatch(_ command: ModelCommand) {
        if host == nil {
            lastHost += 1
            let policy = RoomLifecycle<ModelCommand>.Policy(
                isShared: true, createsGroups: true, storeTimeout: .seconds(5))
            host = Host(id: lastHost, life: .init(id: "room", policy: policy))
        }
        guard let id = host?.id, let admission = host?.life.received(command, contact: contact, at: .at(now)) else {
            return
        }
        switch admission {
        case .execute: execute(command, in: id)
        case .wait(let actions): perform(actions, of: id)
        case .refuse: refuse(command)
        }
    }

    private mutating func refuse(_ command: ModelCommand) { command.origin.map { replied($0) } }

    private mutating func execute(_ command: ModelCommand, in id: Int) {
        switch command {
        case .join(let join):
            withLive { host, live, now in
                host.joins.received(
                    join, in: &live, isSubscribed: host.isSubscribed, isHidden: { _ in false }, at: now)
            }
        case .leave(let session):
            host?.shown.remove(session)
            perform(host?.joins.didLeave(session) ?? [], of: id)
            perform(host?.live?.leave(session, isBroken: session.slot % 2 == 0, at: .at(now)) ?? [])
        case .send(let origin, let number):
            guard let result = host?.live?.send(.sample(number), from: origin.session, origin: origin, at: .at(now))
            else {
                return problems.append("a message came to a room that is not open")
            }
            switch result {
            case .success(let effects): perform(effects)
            case .failure: replied(origin)
            }
        }
    }

    /// Changes machines and room together, and performs what they say.
    private mutating func withLive(_ body: (inout Host, inout LiveRoom, Moment) -> [RoomJoins.Action]) {
        guard var changed = host, var live = changed.live else { return }
        let actions = body(&changed, &live, .at(now))
        changed.live = live
        host = changed
        perform(actions, of: changed.id)
    }

    // MARK: Actions

    mutating func perform(_ actions: [RoomLifecycle<ModelCommand>.Action], of id: Int) {
        for action in actions {
            switch action {
            case .dispatch(let command): dispatch(command)
            case .refuse(let command, _): refuse(command)
            case .resume(.change(let notice)): notices[notice, default: 0] += 1
            default: if host?.id == id { perform(action, of: id) }
            }
        }
    }

    private mutating func perform(_ action: RoomLifecycle<ModelCommand>.Action, of id: Int) {
        switch action {
        case .read(let number):
            host?.live?.willRefresh()
            ask(.read(number: number, snapshot))
        case .countCreation:
            let refusal = random.chance(trouble, in: 10) ? ChatError(.rateLimited, "slow") : nil
            let both = Now(wall: Timestamp(milliseconds: now), monotonic: .at(now))
            perform(host?.life.didCountCreation(refusal: refusal, at: both) ?? [], of: id)
        case .create(_, _, _, let number): ask(.create(number: number))
        case .open(let snapshot): host?.live = LiveRoom(snapshot, limits: RoomLimits())
        case .refresh(let snapshot): for user in host?.live?.refresh(snapshot, at: .at(now)) ?? [] { expel(user) }
        case .failRefresh: host?.live?.failedToRefresh()
        case .apply(.revised(let revision, let at)):
            for user in host?.live?.revise(revision, at: at) ?? [] { expel(user) }
        case .apply(.admitted(let user)): host?.live?.admit(user)
        case .apply(.expelled(let user)): expel(user)
        case .apply: problems.append("no such change is applied")
        case .close: close()
        case .execute(let command): execute(command, in: id)
        case .reconsider: perform(host?.life.reconsider(contact: contact, at: .at(now)) ?? [], of: id)
        case .resume: withLive { host, live, now in host.joins.didRefresh(&live, at: now) }
        case .forget: host = nil
        case .dispatch, .refuse: break
        }
    }

    private mutating func perform(_ actions: [RoomJoins.Action], of id: Int) {
        for action in actions {
            switch action {
            case .perform(let effects): perform(effects)
            case .countListeners(let round): ask(.listeners(round: round))
            case .catchUp(let after, let number):
                ask(.catchUp(number: number, log(after: after)))
            case .readPage(let query, let delivered):
                ask(
                    .page(
                        ViewPage(
                            query: query, delivered: delivered, history: page(query.history), changed: ChangesPage())))
            case .takeTurn(let number):
                if random.chance(1, in: 2) {
                    ask(.turn(number: number))
                } else {
                    answer(.turn(number: number), of: id)
                }
            case .show(let join, let view):
                if host?.live?.members.contains(join.session) != true {
                    problems.append("a stranger is shown the room")
                }
                host?.shown.insert(join.session)
                show(join, view)
            case .refuse(let join, _): replied(join.origin)
            }
        }
    }

    mutating func perform(_ effects: [RoomEffect]) {
        for effect in effects {
            switch effect {
            case .reply(let origin, _):
                host?.joins.didAnswer(origin)
                replied(origin)
            case .deliver(let messages): deliver(messages.map(\.sequence))
            case .repair(let after): ask(.repair(log(after: after)))
            case .resync(let sequence): problems.append("nothing after \(sequence) was lost")
            case .enrolled(let origin):
                withLive { host, live, now in
                    host.joins.didEnrol(
                        origin, in: &live, isSubscribed: host.isSubscribed, isHidden: { _ in false }, at: now)
                }
            case .publish, .share, .announce, .unrecord, .tellDevices, .readNewest: break
            }
        }
    }

    private mutating func expel(_ user: UserID) {
        guard let (sessions, effects) = host?.live?.expel(user, at: .at(now)), let id = host?.id else { return }
        for session in sessions {
            host?.shown.remove(session)
            check(session)
            clients[session] = nil
            perform(host?.joins.didLeave(session) ?? [], of: id)
        }
        perform(effects)
    }

    private mutating func close() {
        guard let id = host?.id else { return }
        for user in host?.live?.members.list(limit: .max) ?? [] { expel(user.userID) }
        for origin in host?.live?.abandonWrites() ?? [] { perform([.reply(origin, .refused(.roomUnavailable))]) }
        perform(host?.joins.didClose() ?? [], of: id)
        let isWriting = host?.live?.isWriting ?? false
        host?.live = nil
        perform(host?.life.didClose(isWriting: isWriting, at: .at(now)) ?? [], of: id)
    }

    // MARK: Time

    mutating func passTime() {
        guard let id = host?.id else { return }
        if let due = host?.life.deadline, due <= .at(now) { perform(host?.life.tick(at: .at(now)) ?? [], of: id) }
        withLive { host, live, now in
            let shown = host.shown
            return host.joins.tick(&live, isShown: { shown.contains($0) }, at: now)
        }
        perform(host?.live?.tick(at: .at(now)) ?? [])
        if let write = host?.live?.nextWrite(at: .at(now)) { ask(.commit(write)) }
        let isWanted = host.map { !$0.shown.isEmpty || $0.joins.needsTraffic } ?? false
        if isWanted, host?.isSubscribed == false { ask(.subscription) }
        host?.isSubscribed = isWanted
        if let host, host.life.isIdle, host.joins.isEmpty, host.live?.isIdle == true, !isWanted,
            random.chance(1, in: 20)
        {
            self.host = nil
        }
    }

    // MARK: Questions and their answers

    private mutating func ask(_ question: ModelQuestion) {
        if question.mayBeLost, random.chance(trouble, in: 30) { return }
        if let id = host?.id { questions.append((id, question)) }
    }

    mutating func answer() {
        guard let place = questions.indices.randomElement(using: &random) else { return }
        let (id, question) = questions[place]
        if !question.mayRepeat || !random.chance(trouble, in: 10) { questions.remove(at: place) }
        answer(question, of: id)
    }

    mutating func answer(_ question: ModelQuestion, of id: Int) {
        // An answer for a room that is gone is of no use to the next.
        guard host?.id == id else { return }
        let fails = random.chance(trouble, in: 10)
        let failure = StoreError.unavailable(reason: "down")
        switch question {
        case .read(let number, let then):
            let found = random.chance(1, in: 2) ? then : snapshot
            perform(
                host?.life.didRead(number: number, fails ? .failure(failure) : .success(found), at: .at(now)) ?? [],
                of: id)
        case .create(let number):
            if participants == nil, !fails { participants = [Self.user] }
            let result = (fails ? nil : snapshot).map { Result<RoomSnapshot, StoreError>.success($0) }
            perform(host?.life.didCreate(number: number, result ?? .failure(failure), at: .at(now)) ?? [], of: id)
        case .page(let found):
            withLive { host, live, now in
                let shown = host.shown
                return host.joins.didReadPage(
                    found.query, fails ? .failure(failure) : .success(found), in: &live,
                    isShown: { shown.contains($0) }, at: now)
            }
        case .catchUp(let number, let found):
            withLive { host, live, now in
                let shown = host.shown
                return host.joins.didCatchUp(
                    number: number, fails ? .failure(failure) : .success(found), in: &live,
                    isShown: { shown.contains($0) }, at: now)
            }
        case .repair(let found):
            perform(
                host?.live?.repaired(
                    fails ? [] : found.entries, reachedEnd: !fails && !found.hasMore, at: .at(now)) ?? [])
        case .listeners(let round):
            withLive { host, live, now in
                host.joins.didCountListeners(round: round, others: fails ? nil : 2, in: &live, at: now)
            }
        case .subscription:
            guard host?.isSubscribed == true, host?.live != nil else { return }
            perform(host?.live?.contactMade(at: .at(now)) ?? [])
            for name in ["one", "two"] { ask(.roster(InstanceID(name))) }
            perform(host?.joins.didSubscribe() ?? [], of: id)
            perform(host?.life.refresh(for: .subscription, at: .at(now)) ?? [], of: id)
        case .roster(let instance):
            perform(host?.live?.receive(.roster([.number(9)], asks: false), from: instance, at: .at(now)) ?? [])
            withLive { host, live, now in host.joins.receivedRoster(of: instance, in: &live, at: now) }
        case .turn(let number):
            withLive { host, live, now in
                let shown = host.shown
                return host.joins.didGetTurn(
                    number: number, in: &live, isShown: { shown.contains($0) }, at: now)
            }
        case .commit(let write): commit(write, of: id, fails: fails)
        }
    }

    private mutating func commit(_ write: RoomWrite, of id: Int, fails: Bool) {
        if host?.life.isClosing == true { return perform(host?.life.didFinishLastWrite() ?? [], of: id) }
        var outcome = RoomWriteOutcome(
            roomID: "room", drafts: [], readMarks: write.readMarks.map { _ in .success(true) })
        let failure: StoreError? =
            fails ? .unavailable(reason: "down") : participants == nil ? .noSuchRoom : nil
        if let failure {
            outcome = .failure(of: write, failure)
        } else {
            participants?.formUnion(write.newParticipants)
            for draft in write.drafts {
                if random.chance(1, in: 4) { storeElsewhere() }
                draft.message.map { stored.append($0) }
                outcome.drafts.append(.stored(SequenceNumber(stored.count)))
            }
        }
        perform(host?.live?.committed(outcome, at: .at(now)) ?? [])
    }

    // MARK: The store

    var snapshot: RoomSnapshot? {
        guard let participants else { return nil }
        var room = Room(id: "room", kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0))
        room.historyBase = base
        return RoomSnapshot(room: room, participants: participants, lastSequence: SequenceNumber(stored.count))
    }

    private func log(after sequence: SequenceNumber) -> RoomLogPage {
        let page = page(HistoryQuery(.after(sequence), limit: 1000))
        return RoomLogPage(entries: page.messages.entries, hasMore: page.hasMoreAfter)
    }

    private func page(_ query: HistoryQuery) -> HistoryPage {
        let range = HistoryRange(query, newest: SequenceNumber(stored.count))
        return
            (try? range.page { stretch, _ throws(StoreError) in
                let numbers = Array(stretch.first...max(stretch.first, stretch.last))
                let found = stretch.isNewestFirst ? numbers.suffix(stretch.limit).reversed() : numbers
                return found.prefix(stretch.limit).map { Message(stored[Int($0) - 1], in: "room", sequence: $0) }
            }) ?? HistoryPage(messages: [], hasMoreBefore: false, hasMoreAfter: false)
    }
}
