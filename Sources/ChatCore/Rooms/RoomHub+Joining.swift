import ChatDomain
import JSON
import ChatProtocol

/// Showing a room to those who join it, so that nothing falls between what they are shown and what they then receive.
///
/// The view is made on the home shard in one step with entering the audience: it is complete up to the number delivered
/// last, and everything after that reaches the session's shard behind it.
extension RoomHub {
    func join(_ join: HomeRoom.PendingJoin, in room: HomeRoom) {
        let origin = RequestOrigin.session(join.session, request: join.request)
        switch room.live?.enrol(join.user.userID, origin: origin, at: context.now.monotonic) {
        case .success(.done): admit(join, to: room)
        case .success(.underWay): room.enrolling[origin] = join
        case .failure(let error): refuse(join, error)
        case nil: break
        }
    }

    /// The store has the user: the join goes on.
    func enrolled(_ origin: RequestOrigin, in room: HomeRoom) {
        if let join = room.enrolling.removeValue(forKey: origin) { admit(join, to: room) }
    }

    private func admit(_ join: HomeRoom.PendingJoin, to room: HomeRoom) {
        let isHidden = services.presence.isHidden(join.user.userID)
        switch room.live?.join(join.user, session: join.session, isHidden: isHidden, at: context.now.monotonic) {
        case .success(let effects):
            perform(effects, in: room)
            if !awaitsOthers(join, in: room) { enter(join, room) }
        case .failure(let error):
            refuse(join, error)
        case nil: break
        }
    }

    func enter(_ join: HomeRoom.PendingJoin, _ room: HomeRoom) {
        if isBehind(join, in: room) { catchUp(join, in: room) } else { showInTurn(join, in: room) }
    }

    /// Whether the session saw more of the room on another instance than has come here.
    private func isBehind(_ join: HomeRoom.PendingJoin, in room: HomeRoom) -> Bool {
        guard services.bus != nil, let since = join.history.since, let live = room.live else { return false }
        return since > live.lastSequence
    }

    /// Reads what has not come yet, so that a number ahead of it is not taken for one of another life of the room.
    private func catchUp(_ join: HomeRoom.PendingJoin, in room: HomeRoom) {
        room.catchingUp.append(join)
        guard room.catchingUp.count == 1, let last = room.live?.lastSequence else { return }
        let id = room.id
        let query = HistoryQuery(.after(last), limit: HistoryQuery.limits.upperBound)
        context.withStore({ (store) async throws(StoreError) in try await store.history(of: id, query) }) {
            [unowned self] result in
            let joins = room.catchingUp
            room.catchingUp = []
            let page = try? result.get()
            if let page { perform(room.live?.received(page.messages, at: context.now.monotonic) ?? [], in: room) }
            for join in joins {
                if page == nil {
                    fail(join, in: room)
                } else if page?.hasMoreAfter == true, isBehind(join, in: room) {
                    catchUp(join, in: room)
                } else {
                    showInTurn(join, in: room)
                }
            }
            followUp(room)
        }
    }

    /// Shows the room when the loop has time for it: many may come at once, and each view may be a large page.
    private func showInTurn(_ join: HomeRoom.PendingJoin, in room: HomeRoom, page: HistoryPage? = nil) {
        context.slices.run { [unowned self] in
            show(join, in: room, page: page)
            followUp(room)
        }
    }

    private func show(_ join: HomeRoom.PendingJoin, in room: HomeRoom, page: HistoryPage?) {
        guard room.live?.members.contains(join.session) == true else {
            // Gone, expelled or without a room meanwhile; who is still there hears of it.
            return refuse(join, .roomUnavailable)
        }
        switch room.live?.view(join.history, page: page, answering: join.query) {
        case .view(let view):
            room.enter(join.session, join.encoding)
            let messages = join.history.asMessages ? [] : EventJSON.messages(view.messages)
            let frames = frames(of: view, messages, for: join)
            let answer = join.history.isAnswered ? EventJSON.joined(view, messages: messages) : nil
            context.slices.spend(frames.count + (answer?.count ?? 0))
            let entered = EnteredRoom(
                frames: frames, encoding: join.encoding, answer: answer, state: view.state,
                userID: join.user.userID, numbers: view.numbers, needsResync: view.needsResync)
            context.post(.entered(join.session, request: join.request, room.id, entered), to: join.session.shard)
        case .read(let query): read(query, for: join, in: room)
        case nil: break
        }
    }

    private func read(_ query: HistoryQuery, for join: HomeRoom.PendingJoin, in room: HomeRoom) {
        var join = join
        join.attempts += 1
        join.query = query
        guard join.attempts <= 4 else { return fail(join, in: room) }
        if room.reading[query] != nil {
            room.reading[query]?.append(join)
            return
        }
        room.reading[query] = [join]
        let id = room.id
        let newest = room.live?.lastSequence ?? 0
        context.withStore({ [services] (_) async throws(StoreError) in
            try await services.history(of: id, query, newest: newest)
        }) {
            [unowned self] result in
            guard let joins = room.reading.removeValue(forKey: query) else { return }
            for join in joins {
                if case .success(let page) = result {
                    showInTurn(join, in: room, page: page)
                } else {
                    fail(join, in: room)
                }
            }
            followUp(room)
        }
    }

    private func fail(_ join: HomeRoom.PendingJoin, in room: HomeRoom) {
        // Whoever was shown the room before stays in it: there is nothing wrong with that.
        guard room.entered[join.session] == nil else { return refuse(join, .storageUnavailable) }
        perform(room.live?.leave(join.session, isBroken: false, at: context.now.monotonic) ?? [], in: room)
        refuse(join, .storageUnavailable)
    }

    private func refuse(_ join: HomeRoom.PendingJoin, _ error: ChatError) {
        context.post(.reply(join.session, request: join.request, .refused(error)), to: join.session.shard)
    }

    /// `message_history`, `resync_required` where it is due, `room_users` and `room_state`, as bytes for one session.
    ///
    /// - Parameter messages: the view's, as JSON.
    private func frames(of view: RoomView, _ messages: [UInt8], for join: HomeRoom.PendingJoin) -> [UInt8] {
        var out: [UInt8] = []
        func add(_ event: StaticString, _ data: [UInt8], offset: MessageOffset? = nil) {
            let envelope = join.encoding.envelope(event, data: data, offset: offset)
            EncodedFrames.append(envelope, as: join.encoding, deflate: context.deflate, to: &out)
        }
        if join.history.asMessages {
            for message in view.messages { add("new_message", MessageJSON.encode(message), offset: message.offset) }
        } else {
            add("message_history", messages)
        }
        if view.needsResync {
            add("resync_required", EventJSON.resync(view.state.roomID, lastSequence: view.state.lastSequence))
        }
        add("room_users", EventJSON.users(view.users))
        add(
            "room_state",
            EventJSON.object { out in
                out.state(view.state)
                if !view.readMarks.isEmpty { out.readMarks(view.readMarks) }
            })
        return out
    }
}

extension RoomView {
    fileprivate var numbers: ClosedRange<SequenceNumber>? {
        guard let first = messages.first?.sequence, let last = messages.last?.sequence, first <= last else {
            return nil
        }
        return first...last
    }
}
