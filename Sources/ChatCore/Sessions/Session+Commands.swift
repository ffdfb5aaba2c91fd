import ChatProtocol
import ChatDomain
import Identity

/// The execution of a session's commands, each when its turn has come.
extension Session {
    func start(_ request: Request) {
        do throws(ChatError) {
            if request.command.needsIdentity, identity == nil, !mayAskUnnamed(request.command) {
                throw .unauthenticated
            }
            if request.command.isMessage { try countMessage() }
            try perform(request)
        } catch {
            refuse(error, event: request.event, tag: request.tag)
            if error.code == .rateLimited { endIfAbusive() }
        }
    }

    private func mayAskUnnamed(_ command: ClientCommand) -> Bool {
        if case .presence(let presence) = command { isService && presence.isQuestion } else { false }
    }

    private func countMessage() throws(ChatError) {
        guard let user = identity?.userID else { return }
        let now = context.now.monotonic
        guard let wait = context.services.countMessage(of: user, at: now) else { return }
        noteRateRefusal()
        throw .tooFast(wait: wait)
    }

    private func perform(_ request: Request) throws(ChatError) {
        switch request.command {
        case .authenticate(let credentials): authenticate(credentials, tag: request.tag)
        case .ping(let data):
            emit("pong", data)
            reply(request.tag, EventJSON.success(withFieldsOf: data))
        case .userActivity: reply(request.tag, EventJSON.success())
        case .presence(let command):
            if command.isListing, let user {
                try context.services.limits.countCall(of: user.userID, at: context.now.monotonic)
            }
            try presence.perform(command, request)
        case .identify(let username):
            identify(username)
            reply(request.tag, EventJSON.success())
        case .joinRoom(let room, let history):
            guard let user else { throw .unauthenticated }
            let limit = context.services.configuration.maximumRoomsPerSession
            guard rooms.contains(room) || rooms.count < limit else {
                throw .badRequest("a connection may be in \(limit) rooms at most")
            }
            try context.services.limits.countJoin(of: user.userID, at: context.now.monotonic)
            insert(room)
            let number = begin(request)
            presence.withVisibleUsers { session, visible in
                var history = history
                history.visible = visible
                history.isAnswered = request.tag != nil
                session.send(.join(session.address, request: number, user, history, session.encoding), to: room)
            }
        case .leaveRoom(let room):
            guard rooms.contains(room) else { throw .notJoined }
            remove(room)
            send(.leave(address, request: begin(request), isBroken: false), to: room)
        case .sendMessage(let room, let message):
            guard rooms.contains(room) else { throw .notJoined }
            guard let user else { throw .unauthenticated }
            guard !context.services.looksElsewhere(before: message) else {
                return askElsewhere(request) { [services = context.services, address] in
                    await services.send(message, by: user, from: address, since: request.since, to: room)
                }
            }
            let origin = RequestOrigin.session(address, request: begin(request))
            send(.send(address, origin, message, user, since: request.since), to: room)
        case .changeMessage(let room, let change):
            guard rooms.contains(room) else { throw .notJoined }
            guard let user else { throw .unauthenticated }
            guard !context.services.looksElsewhere(before: change) else {
                return askElsewhere(request) { [services = context.services, address, isService] in
                    await services.change(
                        change, by: user, isService: isService, from: address, since: request.since, in: room)
                }
            }
            let origin = RequestOrigin.session(address, request: begin(request))
            send(.change(address, origin, change, user, isService: isService, since: request.since), to: room)
        case .sendDirect(let recipients, let message):
            guard let user else { throw .unauthenticated }
            let number = begin(request)
            context.loop.run({ [services = context.services] () async -> Result<DirectDelivery, ChatError> in
                do throws(ChatError) {
                    let message = try await services.reviewed(message, by: user, in: nil, to: recipients)
                    return .success(await services.sendDirect(message, by: user.userID, to: recipients))
                } catch {
                    return .failure(error)
                }
            }) { [weak self] result in
                guard let self, finish(number) != nil else { return }
                switch result {
                case .success(let delivery): reply(request.tag, delivery.json)
                case .failure(let error): refuse(error, event: request.event, tag: request.tag)
                }
                startWaiting()
            }
        case .typing(let room, let isTyping):
            guard rooms.contains(room), let user else { throw .notJoined }
            guard !isTyping || context.services.limits.mayType(user.userID, at: context.now.monotonic) else {
                return reply(request.tag, EventJSON.success())
            }
            send(.typing(address, request: begin(request), isTyping: isTyping), to: room)
        case .markRead(let room, let sequence):
            guard rooms.contains(room) else { throw .notJoined }
            send(.markRead(address, request: begin(request), sequence), to: room)
        }
    }

    /// Has a request answered off the loop that concerns a file, or that a hook decides about.
    private func askElsewhere(_ request: Request, _ ask: @escaping @Sendable () async -> RoomReply) {
        let number = begin(request)
        context.loop.run(ask) { [weak self] in self?.answered(number, $0) }
    }

    private func send(_ command: RoomCommand, to room: RoomID) {
        context.post(.room(room, command), to: context.services.home(of: room))
    }

    /// Sets the name of a user whose token gave none; a token's name stays.
    private func identify(_ username: String) {
        guard var identity, !identity.isUsernameVerified else { return }
        identity.username = username
        setIdentity(identity)
        presence.update(.renamed(username))
    }

    /// Has the audit trail record the deletion of another user's message.
    private func recordDeletion(_ request: Request, _ receipt: ChangeReceipt) {
        guard case .changeMessage(let room, let change) = request.command, case .delete = change.kind else { return }
        var act = AuditAct(.messageDelete)
        act.isService = isService
        act.actor = user?.userID
        act.address = channel.origin.address
        Task { [services = context.services, act] in await services.recordDeletion(receipt, in: room, act) }
    }

    // MARK: Answers from elsewhere

    func answered(_ number: UInt32, _ answer: RoomReply) {
        guard let request = finish(number) else { return }
        switch answer {
        case .sent(let id, let sequence, let timestamp, let isDuplicate):
            reply(
                request.tag,
                EventJSON.success {
                    $0.sent(id: id, sequence: sequence, timestamp: timestamp, isDuplicate: isDuplicate)
                })
        case .changed(let receipt):
            recordDeletion(request, receipt)
            reply(request.tag, EventJSON.success { $0.changed(receipt) })
        case .done, .info: reply(request.tag, EventJSON.success())
        case .refused(let error):
            // A session that was in the room and asked to see it again stays in it while the store fails.
            if case .joinRoom(let room, _) = request.command, !(error.code.isRetryable && isShown(room)) {
                remove(room)
                if recovery.isRejoining { return recovery.rejoined(isWhole: false) }
            }
            refuse(error, event: request.event, tag: request.tag)
        }
        startWaiting()
    }

    /// The room was shown; from here on its traffic comes to this session.
    func entered(_ number: UInt32, _ room: RoomID, _ view: EnteredRoom) {
        guard let request = finish(number) else { return }
        if rooms.contains(room) { registry.localRooms.add(self, to: room, newest: view.state.lastSequence) }
        let isOutdated = !view.encoding.isWebSocket && encoding.isWebSocket
        var frames = isOutdated ? EncodedFrames.framed(packets: view.frames) : view.frames
        // In one piece with the events: as an answer of its own it would find the queue full.
        if let tag = request.tag, let answer = view.answer {
            let envelope = encoding.answer(tag, data: answer)
            EncodedFrames.append(envelope, as: encoding, deflate: context.deflate, to: &frames)
        }
        channel.send(frames, isDroppable: false)
        startWaiting()
        recovery.entered(room, view)
    }

    /// The right to be in the room was taken away.
    func expelled(from room: RoomID, _ error: ChatError) {
        remove(room)
        // Nor does a banned user see who comes and goes there.
        if error.code == .banned { registry.watchers.rooms.remove(self, from: [room]) }
        emit(
            "error",
            EventJSON.error(error, event: "join_room", room: room, isFlat: encoding.isFlat, at: context.now.wall))
    }
}
