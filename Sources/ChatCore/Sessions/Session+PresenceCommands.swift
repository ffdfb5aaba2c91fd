import ChatProtocol
import ChatDomain
import Identity
import JSON

/// What a session does with a command about presence.
extension Session {
    private var hub: PresenceHub { context.services.presence }

    func perform(_ command: PresenceCommand, _ request: Request) throws(ChatError) {
        switch command {
        case .setStatus(let status): setStatus(status, request)
        case .comeOnline(let user): try comeOnline(user, request)
        case .countOnline:
            withViewer(request) { session, hub, viewer in
                let count = hub.onlineCount(for: viewer)
                session.respond("online_count", request) { out in
                    out.key("count")
                    out.integer(count)
                    out.stamp(session.context.now.wall)
                }
            }
        case .check(let user, let question): check(user, question, request)
        case .listKnown(let page): listKnown(page, request)
        case .listOnline(let page): listOnline(page, request)
        case .listOnlineIDs(let page):
            withViewer(request) { session, hub, viewer in
                var out = JSONWriter()
                out.array(hub.online(page, for: viewer).views) { $0.string($1.user.userID.value) }
                session.answer(request, "get_all_online_users", out.bytes)
            }
        case .listDevices(let page): listDevices(page, request)
        case .watch(let subject): try watch(subject, request)
        case .unwatch(let subject): unwatch(subject, request)
        }
    }

    // MARK: Answers

    /// The reply event, and the same as the answer to a request that asked for one.
    private func respond(_ event: StaticString, _ request: Request, _ fields: (inout JSONWriter) -> Void) {
        emit(event, EventJSON.object(fields))
        reply(request.tag, EventJSON.success(fields))
    }

    /// As the answer where one was asked for, else as an event.
    private func answer(_ request: Request, _ event: StaticString, _ data: [UInt8]) {
        if request.tag == nil { emit(event, data) } else { reply(request.tag, data, under: "users") }
    }

    /// Does something that is known elsewhere only, and goes on here; what came after it waits.
    private func later<Value: Sendable>(
        _ request: Request, _ operation: @escaping @Sendable (PresenceHub) async -> Value,
        then: @escaping (Session, Value) throws(ChatError) -> Void
    ) {
        let number = begin(request)
        context.loop.run({ [hub] in await operation(hub) }) { [weak self] value in
            guard let self, finish(number) != nil else { return }
            do throws(ChatError) { try then(self, value) } catch {
                refuse(error, event: request.event, tag: request.tag)
            }
            startWaiting()
        }
    }

    /// Finds out whom this session may see; at once where that is everybody.
    private func withViewer(_ request: Request, _ body: @escaping (Session, PresenceHub, PresenceViewer) -> Void) {
        let user = identity?.userID
        guard hub.settings.isForFriendsOnly, !isService else { return body(self, hub, PresenceViewer(user: user)) }
        later(request, { await $0.viewer(user) }) { session, viewer in body(session, session.hub, viewer) }
    }

    // MARK: One by one

    private func setStatus(_ status: PresenceStatus, _ request: Request) {
        update(.requestedStatus(status))
        showInRooms()
        respond("status_updated", request) { [now = context.now.wall] out in
            out.key("status")
            out.string(status.rawValue)
            out.stamp(now)
        }
    }

    private func comeOnline(_ user: UserID, _ request: Request) throws(ChatError) {
        if let identity, identity.userID != user { throw ChatError(.forbidden, "this connection is another user's") }
        if identity == nil { try authenticate(Credentials(userID: user), tag: nil) }
        watchEverybody()
        registry.watchers.addTracker(self)
        withViewer(request) { session, _, viewer in
            session.emit("online_users_list", session.registry.watchers.list(for: viewer))
            session.reply(
                request.tag,
                EventJSON.success { out in
                    out.key("userId")
                    out.string(user.value)
                })
        }
    }

    private func check(_ user: UserID, _ question: PresenceQuestion, _ request: Request) {
        let asking = identity?.userID
        later(request, { [isService] in await $0.views(of: [user], for: $0.viewer(asking, isService: isService)) }) {
            session, views in
            guard let view = views.first else { return }
            let event: StaticString = question == .userStatus ? "user_status" : "user_online_status"
            session.respond(event, request) { out in
                out.key("userId")
                out.string(user.value)
                out.key("online")
                out.bool(view.isOnline)
                out.summary(view)
            }
        }
    }

    private func listKnown(_ page: PresencePage, _ request: Request) {
        let asking = identity?.userID
        later(
            request,
            { [isService] hub -> Result<(views: [PresenceView], next: UserID?), ChatError> in
                let viewer = await hub.viewer(asking, isService: isService)
                do throws(ChatError) { return .success(try await hub.known(page, for: viewer)) } catch {
                    return .failure(error)
                }
            }
        ) { session, result throws(ChatError) in
            let (views, next) = try result.get()
            session.respond("all_users", request) { out in
                out.key("users")
                out.array(views) { out, view in out.object { $0.presence(view) } }
                out.stamp(session.context.now.wall)
                if let next {
                    out.key("cursor")
                    out.string(next.value)
                }
            }
        }
    }

    /// With an acknowledgement the caller's online friends, without one everybody who is online.
    private func listOnline(_ page: PresencePage, _ request: Request) {
        guard request.tag != nil else {
            return withViewer(request) { session, hub, viewer in
                session.emit(
                    "online_users_list",
                    EventJSON.onlineList(hub.online(page, for: viewer), at: session.context.now.wall))
            }
        }
        let asking = identity?.userID
        later(
            request,
            { hub in
                guard let asking else { return EventJSON.views([]) }
                let viewer = PresenceViewer(user: asking, visible: await hub.friends(of: asking))
                return EventJSON.views(hub.online(page, for: viewer).views)
            }
        ) { $0.reply(request.tag, $1, under: "users") }
    }

    /// Devices are shown to their owner and to services.
    private func listDevices(_ page: PresencePage, _ request: Request) {
        let asking = identity?.userID
        later(
            request,
            { [isService] hub in
                let viewer = await hub.viewer(asking, isService: isService)
                let views = hub.online(page, for: viewer, withOwn: true).views
                let owners = views.map(\.user.userID).filter { isService || $0 == asking }
                let devices = await hub.directory.sessions(of: owners)
                var out = JSONWriter()
                out.array(views) { out, view in
                    let user = view.user.userID
                    out.detailed(view, devices: isService || user == asking ? devices[user] ?? [] : nil)
                }
                return out.bytes
            }
        ) { $0.answer(request, "get_detailed_online_users", $1) }
    }

    // MARK: Watching

    private func watch(_ subject: PresenceSubject, _ request: Request) throws(ChatError) {
        switch subject {
        case .users(let users):
            try presence.watch.add(users)
            index()
            showPresence(of: users, request)
        case .rooms(let rooms): try watchRooms(rooms, request)
        case .everybody:
            watchEverybody()
            return withViewer(request) { session, hub, viewer in
                session.snapshot(hub.online(PresencePage(), for: viewer).views, request)
            }
        case .friends, .anything:
            guard let asking = identity?.userID else { return }
            presence.watch.watchesFriends = true
            later(request, { await $0.friends(of: asking) }) { session, friends in
                session.presence.friends = friends
                session.index()
                session.showPresence(of: friends, request)
            }
        }
    }

    /// What is looked up takes a while: how they stand is taken when it is sent, so that it is never older than a change
    /// that was told before it.
    func showPresence(of users: some Sequence<UserID> & Sendable, _ request: Request) {
        guard let asking = identity?.userID else { return }
        let shown = Array(users.prefix(PresencePage.maximumUsers))
        later(
            request,
            { [isService] hub in
                let viewer = await hub.viewer(asking, isService: isService)
                return (viewer, await hub.absentees(among: shown, for: viewer))
            }
        ) { session, known in
            session.snapshot(session.hub.views(of: shown, for: known.0, known.1), request)
        }
    }

    private func snapshot(_ views: [PresenceView], _ request: Request) {
        var budget = PageBudget()
        let views = views.prefix { budget.takes($0.encodedBytes) }
        respond("presence_snapshot", request) { out in
            out.key("users")
            out.array(views) { out, view in out.object { $0.presence(view) } }
        }
    }

    private func unwatch(_ subject: PresenceSubject, _ request: Request) {
        switch subject {
        case .users(let users): presence.watch.remove(users)
        case .rooms(let rooms): registry.watchers.rooms.remove(self, from: rooms)
        case .friends: presence.watch.watchesFriends = false
        case .everybody: presence.watch.watchesEverybody = false
        case .anything:
            presence.watch.removeAll()
            registry.watchers.rooms.forget(self)
        }
        registry.watchers.setEverybody(self, presence.watch.watchesEverybody)
        index()
        reply(request.tag, EventJSON.success())
    }
}

extension JSONWriter {
    /// A user with the devices, where they may be shown.
    mutating func detailed(_ view: PresenceView, devices: [SessionRecord]?) {
        object { out in
            out.presence(view)
            guard let devices else { return }
            out.key("devices")
            out.array(devices) { out, device in out.object { $0.device(device) } }
        }
    }

    private mutating func device(_ device: SessionRecord) {
        key("socketId")
        string(device.id.value)
        key("connectedAt")
        string(device.connectedAt.iso8601)
        key("lastActivity")
        string(device.lastActiveAt.iso8601)
        key("instance")
        string(device.instance.value)
        key("userAgent")
        if let agent = device.userAgent { string(agent) } else { null() }
    }
}
