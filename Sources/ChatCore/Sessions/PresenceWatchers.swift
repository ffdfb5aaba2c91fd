import ChatProtocol
import ChatDomain
import Identity

/// One shard's sessions that asked for presence, and what each is owed.
///
/// A session that named a user gets every edge at once. One that watches all users, or rooms, gets at most one change a user and
/// `gatheringInterval`; trackers also get the list of online users, at most once a `listInterval`.
final class PresenceWatchers {
    private static let gatheringInterval: Duration = .milliseconds(250)
    private static let listInterval: Duration = .seconds(1)

    private unowned let registry: SessionRegistry
    private var byUser: [UserID: [ObjectIdentifier: Session]] = [:]
    private var everybody: [ObjectIdentifier: Session] = [:]
    private var trackers: [ObjectIdentifier: Session] = [:]
    private(set) lazy var rooms = RoomWatches { [unowned self] room in
        // Through the mailbox, as what asks for a room: the two must not change places.
        context.services.mailbox(context.services.home(of: room)).post(.unwatched(room, by: context.index))
    }
    private(set) lazy var friendPoller = FriendPoller(registry: registry)
    private var coalescer = PresenceCoalescer()
    private var isListScheduled = false

    init(registry: SessionRegistry) { self.registry = registry }

    private var context: ShardContext { registry.context }

    // MARK: Watching sessions

    func add(_ session: Session, of users: some Sequence<UserID>) {
        for user in users { byUser[user, default: [:]][ObjectIdentifier(session)] = session }
    }

    func remove(_ session: Session, of users: some Sequence<UserID>) {
        for user in users {
            byUser[user]?[ObjectIdentifier(session)] = nil
            if byUser[user]?.isEmpty == true { byUser[user] = nil }
        }
    }

    func setEverybody(_ session: Session, _ isWatching: Bool) {
        everybody[ObjectIdentifier(session)] = isWatching ? session : nil
    }

    func addTracker(_ session: Session) { trackers[ObjectIdentifier(session)] = session }

    func forget(_ session: Session) {
        remove(session, of: session.presence.indexed)
        everybody[ObjectIdentifier(session)] = nil
        trackers[ObjectIdentifier(session)] = nil
        rooms.forget(session)
    }

    /// A watched room's participants changed; new participants that are online are shown.
    func changed(_ room: RoomID, _ state: WatchedRoom?) {
        let (newcomers, watchers) = rooms.update(room, state)
        guard !watchers.isEmpty else { return }
        for user in newcomers { show(user, to: watchers.filter { !receives(changesOf: user, $0) }) }
    }

    /// Sends a user's presence to sessions that begin to watch it, unless it is offline.
    func show(_ user: UserID, to sessions: [Session]) {
        guard !sessions.isEmpty, let presence = context.services.presence.presence(of: user) else { return }
        notify(PresenceEdge(before: .offline, presence: presence), to: sessions)
    }

    /// Whether the session gets a user's changes in another way than by rooms.
    func receives(changesOf user: UserID, _ session: Session) -> Bool {
        let key = ObjectIdentifier(session)
        return everybody[key] != nil || byUser[user]?[key] != nil
    }

    func receivedFriendship(_ a: UserID, _ b: UserID, isFriend: Bool) {
        friendPoller.noteAnnouncement()
        for (user, other) in [(a, b), (b, a)] {
            for session in registry.sessions(of: user) {
                session.presence.receivedFriendship(other, isFriend: isFriend)
            }
        }
    }

    // MARK: Sending changes

    func note(_ edges: [PresenceEdge]) {
        for edge in edges {
            sendToNamed(edge)
            guard !everybody.isEmpty || rooms.isWatched(edge.presence.user.userID) else { continue }
            if coalescer.isEmpty {
                context.loop.schedule(after: Self.gatheringInterval) { [weak self] in self?.sendGathered() }
            }
            coalescer.add(edge)
        }
        // A list that stayed as it was would reveal that a hidden user comes or goes.
        if edges.contains(where: \.isVisible) { scheduleList() }
    }

    private func sendToNamed(_ edge: PresenceEdge) {
        guard let sessions = byUser[edge.presence.user.userID] else { return }
        notify(edge, to: sessions.values.filter { !$0.presence.watch.watchesEverybody })
    }

    private func sendGathered() {
        for edge in coalescer.take() {
            let user = edge.presence.user.userID
            let watchers = rooms.sessions(watching: user).values.filter { !receives(changesOf: user, $0) }
            notify(edge, to: Array(everybody.values) + watchers)
        }
    }

    private func notify(_ edge: PresenceEdge, to sessions: [Session]) {
        let user = edge.presence.user.userID
        let own = sessions.filter { $0.identity?.userID == user }
        // One's own devices know that they are connected.
        if edge.before != .offline { send(edge, as: user, to: own) }
        guard edge.isVisible else { return }
        send(edge, as: nil, to: sessions.filter { $0.identity?.userID != user && $0.presence.mayShow(user) })
    }

    private func send(_ edge: PresenceEdge, as viewer: UserID?, to sessions: [Session]) {
        guard !sessions.isEmpty else { return }
        let view = PresenceView(edge.presence, for: viewer)
        deliver("user_status_change", EventJSON.change(view, at: context.now.wall), to: sessions)
        guard viewer == nil, edge.before.isOnline != view.isOnline else { return }
        let trackers = sessions.filter { self.trackers[ObjectIdentifier($0)] != nil }
        deliver(view.isOnline ? "user_online" : "user_offline", EventJSON.userID(view.user.userID), to: trackers)
    }

    private func deliver(_ event: StaticString, _ data: [UInt8], to sessions: [Session]) {
        guard !sessions.isEmpty else { return }
        var frames = EncodedFrames()
        let encodings = Set(sessions.map(\.encoding))
        frames.append(event, data: data, for: Array(encodings), deflate: context.deflate)
        for session in sessions { session.deliver(frames, isDroppable: true) }
    }

    // MARK: The list

    private func scheduleList() {
        guard !trackers.isEmpty, !isListScheduled else { return }
        isListScheduled = true
        context.loop.schedule(after: Self.listInterval) { [weak self] in self?.sendList() }
    }

    private func sendList() {
        isListScheduled = false
        let hub = context.services.presence
        guard hub.settings.isForFriendsOnly else {
            return deliver("online_users_list", list(for: PresenceViewer()), to: Array(trackers.values))
        }
        for session in trackers.values {
            context.slices.run { [weak self] in
                guard let self, trackers[ObjectIdentifier(session)] != nil else { return }
                let viewer = PresenceViewer(user: session.identity?.userID, visible: session.presence.friends ?? [])
                let list = list(for: viewer)
                context.slices.spend(list.count)
                deliver("online_users_list", list, to: [session])
            }
        }
    }

    func list(for viewer: PresenceViewer) -> [UInt8] {
        EventJSON.onlineList(context.services.presence.online(PresencePage(), for: viewer), at: context.now.wall)
    }
}
