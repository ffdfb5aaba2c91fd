import ChatProtocol
import ChatDomain
import Identity
import JSON

/// Commands about presence.
extension PresenceSession {
    typealias Request = RequestQueue.Request

    private var isService: Bool { session.isService }

    /// Finds out off the loop which users this session may see.
    private var viewer: @Sendable (PresenceHub) async -> PresenceViewer {
        let (user, isService) = (userID, isService)
        return { await $0.viewer(user, isService: isService) }
    }

    func perform(_ command: PresenceCommand, _ request: Request) throws(ChatError) {
        switch command {
        case .setStatus(let status): setStatus(status, request)
        case .comeOnline(let user): try comeOnline(user, request)
        case .countOnline: countOnline(request)
        case .check(let user, let question): check(user, question, request)
        case .listKnown(let page): listKnown(page, request)
        case .listOnline(let page): listOnline(page, request)
        case .listOnlineIDs(let page):
            readOnline(page, request, viewer) { presence, page in
                var out = JSONWriter()
                out.array(page.views) { $0.string($1.user.userID.value) }
                presence.answer(request, "get_all_online_users", out.bytes)
            }
        case .listDevices(let page): listDevices(page, request)
        case .watch(let subject): try watch(subject, request)
        case .unwatch(let subject): unwatch(subject, request)
        }
    }

    // MARK: Answers

    /// The reply event, and the same as the answer to a request that asked for one.
    private func respond(_ event: StaticString, _ request: Request, _ fields: (inout JSONWriter) -> Void) {
        session.emit(event, EventJSON.object(fields))
        session.reply(request.tag, EventJSON.success(fields))
    }

    /// As the answer where one was asked for, else as an event.
    private func answer(_ request: Request, _ event: StaticString, _ data: [UInt8]) {
        if request.tag == nil {
            session.emit(event, data)
        } else {
            session.reply(request.tag, data, under: "users")
        }
    }

    /// Finds something out off the loop and continues here with it; requests behind this one wait.
    private func later<Value: Sendable>(
        _ request: Request, _ operation: @escaping @Sendable (PresenceHub) async -> Value,
        then: @escaping (PresenceSession, Value) throws(ChatError) -> Void
    ) {
        let number = session.begin(request)
        context.loop.run({ [hub] in await operation(hub) }) { [weak session] value in
            guard let session, session.finish(number) != nil else { return }
            do throws(ChatError) { try then(session.presence, value) } catch {
                session.refuse(error, event: request.event, tag: request.tag)
            }
            session.startWaiting()
        }
    }

    /// Reads a page of online users off the loop and continues here with it, as it is then.
    private func readOnline(
        _ page: PresencePage, _ request: Request, _ viewer: @escaping @Sendable (PresenceHub) async -> PresenceViewer,
        then: @escaping (PresenceSession, OnlinePage) -> Void
    ) {
        watchers.beginReadingList()
        let number = session.begin(request)
        let (hub, watchers) = (hub, watchers)
        context.loop.run({
            let viewer = await viewer(hub)
            return (viewer, await hub.online(page, for: viewer))
        }) { [weak session] viewer, found in
            var found = found
            found.apply(watchers.endReadingList(), after: page.cursor, for: viewer)
            guard let session, session.finish(number) != nil else { return }
            then(session.presence, found)
            session.startWaiting()
        }
    }

    private func countOnline(_ request: Request) {
        later(request, { [viewer] hub in await hub.onlineCount(for: viewer(hub)) }) { presence, count in
            presence.respond("online_count", request) { out in
                out.member("count", count)
                out.stamp(presence.context.now.wall)
            }
        }
    }

    // MARK: One by one

    private func setStatus(_ status: PresenceStatus, _ request: Request) {
        update(.requestedStatus(status))
        session.registry.followStatus(of: session)
        respond("status_updated", request) { [now = context.now.wall] out in
            out.member("status", status.rawValue)
            out.stamp(now)
        }
    }

    private func comeOnline(_ user: UserID, _ request: Request) throws(ChatError) {
        if let known = userID, known != user { throw ChatError(.forbidden, "this connection is another user's") }
        if userID == nil { try session.authenticate(claiming: user) }
        // Behind the answer to the claim.
        let number = session.begin(request)
        whenLoaded { [unowned session] in
            if session.finish(number) != nil { session.presence.beginTracking(user, request) }
        }
    }

    private func beginTracking(_ user: UserID, _ request: Request) {
        watchEverybody()
        watchers.addTracker(session)
        readOnline(PresencePage(), request, viewer) { presence, page in
            presence.session.emit("online_users_list", EventJSON.onlineList(page, at: presence.context.now.wall))
            presence.session.reply(
                request.tag,
                EventJSON.success { out in
                    out.member("userId", user.value)
                })
        }
    }

    private func check(_ user: UserID, _ question: PresenceQuestion, _ request: Request) {
        later(request, { [viewer] hub in await hub.views(of: [user], for: viewer(hub)) }) {
            presence, views in
            guard let view = views.first else { return }
            let event: StaticString = question == .userStatus ? "user_status" : "user_online_status"
            presence.respond(event, request) { out in
                out.member("userId", user.value)
                out.member("online", view.isOnline)
                out.summary(view)
            }
        }
    }

    private func listKnown(_ page: PresencePage, _ request: Request) {
        later(
            request,
            { [viewer] hub -> Result<(views: [PresenceView], next: UserID?), ChatError> in
                do throws(ChatError) { return .success(try await hub.known(page, for: viewer(hub))) } catch {
                    return .failure(error)
                }
            }
        ) { presence, result throws(ChatError) in
            let (views, next) = try result.get()
            presence.respond("all_users", request) { out in
                out.key("users")
                out.array(views) { out, view in out.object { $0.presence(view) } }
                out.stamp(presence.context.now.wall)
                if let next {
                    out.member("cursor", next.value)
                }
            }
        }
    }

    /// With an acknowledgement the caller's online friends, without one all online users.
    private func listOnline(_ page: PresencePage, _ request: Request) {
        guard request.tag != nil else {
            return readOnline(page, request, viewer) {
                $0.session.emit("online_users_list", EventJSON.onlineList($1, at: $0.context.now.wall))
            }
        }
        guard let asking = userID else {
            return session.reply(request.tag, EventJSON.views([]), under: "users")
        }
        readOnline(
            page, request,
            { $0.viewer(asking, visible: await $0.friends(of: asking), await $0.blockers(of: asking)) }
        ) {
            $0.session.reply(request.tag, EventJSON.views($1.views), under: "users")
        }
    }

    /// Devices are shown to their owner and to services.
    private func listDevices(_ page: PresencePage, _ request: Request) {
        let asking = userID
        later(
            request,
            { [isService, viewer] hub in
                let views = await hub.online(page, for: viewer(hub), withOwn: true).views
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
            try watch(users)
            showPresence(of: users, request)
        case .rooms(let rooms): try watchRooms(rooms, request)
        case .everybody:
            watchEverybody()
            readOnline(PresencePage(), request, viewer) {
                $0.snapshot($1.views, request)
            }
        case .friends, .anything:
            guard let asking = userID else { return }
            beginWatchingFriends()
            later(request, { await $0.friends(of: asking) }) { presence, friends in
                presence.watchFriends(friends)
                presence.showPresence(of: friends, request)
            }
        }
    }

    /// All rooms or none: one that may not be entered refuses the request.
    private func watchRooms(_ rooms: [RoomID], _ request: Request) throws(ChatError) {
        guard let asking = userID else { return }
        let watches = watchers.rooms
        try watches.beginAsking(for: rooms, by: session)
        let number = session.begin(request)
        let (services, index) = (context.services, context.index)
        context.loop.run({ await services.watch(rooms, for: asking, on: index) }) { [weak session] refusal in
            defer { watches.endAsking(for: rooms) }
            guard let session, session.finish(number) != nil else { return }
            if let refusal {
                session.refuse(refusal, event: request.event, tag: request.tag)
            } else {
                watches.add(session, to: rooms)
                session.presence.showPresence(of: watches.participants(of: rooms), request)
            }
            session.startWaiting()
        }
    }

    /// The presence is read when it is sent, after the lookup: so it is never older than a change sent before it.
    private func showPresence(of users: some Sequence<UserID> & Sendable, _ request: Request) {
        guard userID != nil else { return }
        let shown = Array(users.prefix(PresencePage.maximumUsers))
        later(
            request,
            { [viewer] hub in
                let viewer = await viewer(hub)
                await hub.directory.load(shown)
                return (viewer, await hub.absentees(among: shown, for: viewer))
            }
        ) { presence, known in
            presence.snapshot(presence.hub.views(of: shown, for: known.0, known.1), request)
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
        unwatch(subject)
        session.reply(request.tag, EventJSON.success())
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
        member("socketId", device.id.value)
        member("connectedAt", device.connectedAt.iso8601)
        member("lastActivity", device.lastActiveAt.iso8601)
        member("instance", device.instance.value)
        member("userAgent", device.userAgent)
    }
}
