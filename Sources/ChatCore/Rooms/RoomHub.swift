import ChatDomain
import ChatProtocol
import JSON
import Telemetry

/// The rooms at home on one shard: orders their commands, stores what they gather, sends what they deliver.
final class RoomHub {
    /// How long a room nobody uses is kept in memory. With other instances about it is short: what they
    /// change in a room without members here is not heard of.
    private var idleTime: Duration { services.bus == nil ? .seconds(30) : .seconds(1) }

    let context: ShardContext
    let services: Services
    /// For what other instances publish.
    let newsParser = JSONParser(maximumDepth: RoomNewsCodec.maximumDepth)
    var rooms: [RoomID: HomeRoom] = [:]
    /// Rooms with something to store, in the order they came by it.
    private var unwritten: [HomeRoom] = []
    var messageIDs: MessageIDGenerator
    /// What drafts weigh that wait for the store, in bytes.
    private(set) var pendingBytes = 0

    init(context: ShardContext, seed: UInt64) {
        self.context = context
        services = context.services
        messageIDs = MessageIDGenerator(seed: seed)
    }

    // MARK: Commands

    func dispatch(_ command: RoomCommand, in id: RoomID) {
        let room = rooms[id] ?? load(id)
        if room.live != nil, !room.isVerifying, isCertain(room, for: command) { return execute(command, in: room) }
        guard room.waiting.count < 4096 else {
            return refuse(command, .init(.overloaded, "too many wait for this room"))
        }
        room.waiting.append(command)
        if room.live != nil { verify(room) }
    }

    func execute(_ command: RoomCommand, in room: HomeRoom) {
        weighing(room) { perform(command, in: room) }
        followUp(room)
    }

    /// Keeps count of what waits for the store, whatever `body` does to the room.
    func weighing(_ room: HomeRoom, _ body: () -> Void) {
        let before = room.inPlace { $0.pendingBytes } ?? 0
        body()
        pendingBytes += (room.inPlace { $0.pendingBytes } ?? 0) - before
    }

    private func perform(_ command: RoomCommand, in room: HomeRoom) {
        let now = context.now
        switch command {
        case .join(let session, let request, let user, let history, let encoding):
            join(.init(session: session, request: request, history: history, encoding: encoding, user: user), in: room)
        case .leave(let session, let request, let isBroken):
            room.exit(session)
            if !room.enrolling.isEmpty { room.enrolling = room.enrolling.filter { $0.value.session != session } }
            perform(room.live?.leave(session, isBroken: isBroken, at: now.monotonic) ?? [], in: room)
            if let request { context.post(.reply(session, request: request, .done), to: session.shard) }
        case .send(let session, let origin, let message, let author, let since):
            guard pendingBytes < services.configuration.maximumPendingBytes else {
                return reply(.refused(.init(.overloaded, "too much waits for the store; try again")), to: origin)
            }
            let draft = MessageDraft(
                id: messageIDs.next(at: now.wall), body: message.body(from: author), timestamp: now.wall)
            if let traceparent = message.traceparent { services.observers.noteTrace?(traceparent, draft.id) }
            finish(
                room.live?.send(draft, from: session, origin: origin, since: since, at: now.monotonic), origin, in: room
            )
        case .typing(let session, let request, let isTyping):
            let origin = RequestOrigin.session(session, request: request)
            if finish(room.live?.setTyping(session, isTyping: isTyping, at: now.monotonic), origin, in: room) {
                reply(.done, to: origin)
            }
        case .markRead(let session, let request, let sequence):
            markRead(session, sequence, .session(session, request: request), in: room)
        case .reencode(let session, let encoding):
            guard room.entered[session] != nil else { break }
            room.exit(session)
            room.enter(session, encoding)
        case .info(let origin, let user, let visible):
            if let info = room.live?.info(by: user, showing: visible) { reply(.info(info), to: origin) }
        case .watch(let origin, let user, let target): watch(room, for: user, on: target, origin)
        case .visibility(let user):
            let isHidden = services.presence.isHidden(user)
            perform(room.live?.setHidden(user, isHidden, at: now.monotonic) ?? [], in: room)
        }
    }

    func expel(_ user: UserID, from room: HomeRoom) {
        guard let (sessions, effects) = room.live?.expel(user, at: context.now.monotonic) else { return }
        for session in sessions {
            room.exit(session)
            context.post(.expelled(session, room.id), to: session.shard)
        }
        perform(effects, in: room)
    }

    @discardableResult
    func finish(
        _ result: Result<[RoomEffect], ChatError>?, _ origin: RequestOrigin, in room: HomeRoom
    ) -> Bool {
        switch result {
        case .success(let effects):
            perform(effects, in: room)
            return true
        case .failure(let error):
            reply(.refused(error), to: origin)
            return false
        case nil: return false
        }
    }

    func refuse(_ command: RoomCommand, _ error: ChatError) {
        switch command {
        case .join(let session, let request, _, _, _), .typing(let session, let request, _),
            .markRead(let session, let request, _):
            context.post(.reply(session, request: request, .refused(error)), to: session.shard)
        case .leave(let session, let request?, _):
            context.post(.reply(session, request: request, .done), to: session.shard)
        case .leave: break
        case .send(_, let origin, _, _, _), .info(let origin, _, _), .watch(let origin, _, _):
            reply(.refused(error), to: origin)
        case .reencode, .visibility: break
        }
    }

    func reply(_ reply: RoomReply, to origin: RequestOrigin) {
        switch origin {
        case .session(let session, let request):
            context.post(.reply(session, request: request, reply), to: session.shard)
        case .call(let ticket): services.calls.answer(ticket, reply)
        }
    }

    // MARK: Storing

    /// Whatever a command left to do later: a write, a timer, forgetting the room.
    func followUp(_ room: HomeRoom) {
        guard rooms[room.id] === room, !room.isClosing else { return }
        if !room.isQueuedForWrite, !room.isComparing, room.inPlace({ $0.hasWriteReady }) == true {
            room.isQueuedForWrite = true
            unwritten.append(room)
        }
        updateSubscription(room)
        tellWatchers(of: room)
        schedule(room)
    }

    /// Hands the store what the rooms gathered in this turn.
    func submitWrites() {
        guard !unwritten.isEmpty else { return }
        let failures = storeFailures
        var doubtful: [HomeRoom] = []
        let writes = unwritten.compactMap { room -> RoomWrite? in
            room.isQueuedForWrite = false
            guard room.compared == failures else {
                if room.live != nil { doubtful.append(room) }
                return nil
            }
            return room.live?.nextWrite()
        }
        unwritten.removeAll(keepingCapacity: true)
        compare(doubtful[...])
        guard !writes.isEmpty else { return }
        services.metrics.commitBatch.observe(writes.reduce(0) { $0 + $1.drafts.count })
        let mailbox = services.mailbox(context.index)
        let storedMessages = writes.contains { !$0.drafts.isEmpty } ? services.observers.storedMessages : nil
        let duration = services.metrics.commitDuration
        let begun = WallClock.monotonicMicroseconds()
        services.store.commit(writes) {
            mailbox.post(.committed($0))
            duration.observe(Int(WallClock.monotonicMicroseconds() - begun))
            storedMessages?()
        }
    }

    func committed(_ outcomes: [RoomWriteOutcome]) {
        for outcome in outcomes {
            if outcome.drafts.contains(where: \.isStoreFailure) { services.noteStoreFailure() }
            guard let room = rooms[outcome.roomID] else { continue }
            guard !room.isClosing else {
                closed(room)
                continue
            }
            weighing(room) { perform(room.live?.committed(outcome, at: context.now.monotonic) ?? [], in: room) }
            followUp(room)
        }
    }

    // MARK: Time

    /// Timers only ever move forward here: one that fires early finds nothing due and is set again.
    private func schedule(_ room: HomeRoom) {
        let now = context.now.monotonic
        let idle: Moment? = room.isForgettable ? now + idleTime : nil
        guard let deadline = room.deadline ?? idle else { return }
        if let timer = room.timer {
            guard deadline < timer.deadline else { return }
            context.loop.cancel(timer.id)
        }
        let id = context.loop.schedule(after: deadline - now) { [unowned self] in
            fire(room)
        }
        room.timer = (id, deadline)
    }

    private func fire(_ room: HomeRoom) {
        let deadline = room.timer?.deadline
        room.timer = nil
        let now = context.now.monotonic
        weighing(room) { perform(room.live?.tick(at: now) ?? [], in: room) }
        if room.isForgettable, room.deadline == nil, let deadline, deadline <= now {
            rooms[room.id] = nil
        } else {
            followUp(room)
        }
    }
}
