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
    /// Those of them that may see all users, so that the directory follows all for them.
    private var unrestricted: Set<ObjectIdentifier> = []
    private var trackers: [ObjectIdentifier: Session] = [:]
    private(set) lazy var rooms = RoomWatches(
        unused: { [unowned self] room in
            // Through the mailbox, as what asks for a room: the two must not change places.
            context.services.mailbox(context.services.home(of: room)).post(.unwatched(room, by: context.index))
        },
        follow: { [unowned self] in hub.follow($0, on: context.index, as: .participant) },
        unfollow: { [unowned self] in hub.unfollow($0, on: context.index, as: .participant) })
    private(set) lazy var friendPoller = FriendPoller(registry: registry)
    private var coalescer = PresenceCoalescer()
    private var isListScheduled = false
    private var isListBeingRead = false
    /// Users that changed while lists are read for sessions, and how many lists those are.
    private var changedMeanwhile: [UserID: UserPresence] = [:]
    private var listsBeingRead = 0
    /// Whether all users' changes are needed here, as the hub was told.
    private var needsEverybody = false

    init(registry: SessionRegistry) { self.registry = registry }

    private var context: ShardContext { registry.context }
    private var hub: PresenceHub { context.services.presence }
    private var directory: any SessionDirectory { hub.directory }

    // MARK: Watching sessions

    func add(_ session: Session, of users: some Sequence<UserID>) {
        var unfollowed: [UserID] = []
        for user in users {
            if byUser[user] == nil { unfollowed.append(user) }
            byUser[user, default: [:]][ObjectIdentifier(session)] = session
        }
        if !unfollowed.isEmpty { hub.follow(unfollowed, on: context.index, as: .watched) }
    }

    func remove(_ session: Session, of users: some Sequence<UserID>) {
        var unused: [UserID] = []
        for user in users {
            byUser[user]?[ObjectIdentifier(session)] = nil
            guard byUser[user]?.isEmpty == true else { continue }
            byUser[user] = nil
            unused.append(user)
        }
        if !unused.isEmpty { hub.unfollow(unused, on: context.index, as: .watched) }
    }

    func setEverybody(_ session: Session, _ isWatching: Bool) {
        let key = ObjectIdentifier(session)
        everybody[key] = isWatching ? session : nil
        updateInterest()
        let followedBefore = !unrestricted.isEmpty
        if isWatching, session.presence.mayShowEverybody { unrestricted.insert(key) } else { unrestricted.remove(key) }
        guard followedBefore == unrestricted.isEmpty else { return }
        if followedBefore { directory.unfollowEverybody() } else { directory.followEverybody() }
    }

    func addTracker(_ session: Session) {
        trackers[ObjectIdentifier(session)] = session
        updateInterest()
    }

    /// Whoever watches all users, tracks them or reads a list of them needs every change. Called before what is shown is read.
    private func updateInterest() {
        let isNeeded = !everybody.isEmpty || !trackers.isEmpty || listsBeingRead > 0
        guard isNeeded != needsEverybody else { return }
        needsEverybody = isNeeded
        hub.interest.setEverybody(isNeeded, on: context.index)
    }

    func forget(_ session: Session) {
        remove(session, of: session.presence.indexed)
        setEverybody(session, false)
        trackers[ObjectIdentifier(session)] = nil
        updateInterest()
        rooms.forget(session)
    }

    /// A watched room's participants changed; new participants that are online are shown.
    func changed(_ room: RoomID, _ state: WatchedRoom?) {
        let (newcomers, watchers) = rooms.update(room, state)
        guard !watchers.isEmpty else { return }
        show(newcomers) { [weak self] user in
            watchers.filter { self?.receives(changesOf: user, $0) == false && !$0.isClosed }
        }
    }

    /// Sends the presence of users to sessions that begin to watch them, unless it is offline.
    func show(_ users: Set<UserID>, to sessions: @escaping (UserID) -> [Session]) {
        let hub = context.services.presence
        let unknown = users.filter { !hub.isLoaded($0) }
        for user in users.subtracting(unknown) { show(user, to: sessions(user)) }
        guard !unknown.isEmpty else { return }
        context.loop.runHere({ await hub.directory.load(Array(unknown)) }) { [weak self] in
            for user in unknown { self?.show(user, to: sessions(user)) }
        }
    }

    private func show(_ user: UserID, to sessions: [Session]) {
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

    /// Users began to block this one, and ceased to: to the sessions of `user` they go offline, or show as they are.
    func blocks(of user: UserID, hidden: Set<UserID>, shown: Set<UserID>) {
        for session in registry.sessions(of: user) {
            for other in hidden where isWatching(session, other) { showOffline(other, to: session) }
            show(shown.filter { isWatching(session, $0) }) { [weak session] _ in
                session.flatMap { $0.isClosed ? nil : [$0] } ?? []
            }
        }
    }

    private func isWatching(_ session: Session, _ user: UserID) -> Bool {
        receives(changesOf: user, session)
            || rooms.sessions(watching: user).values.contains { $0 === session }
    }

    private func showOffline(_ user: UserID, to session: Session) {
        guard !session.isService, let presence = context.services.presence.presence(of: user),
            presence.status.isOnline
        else { return }
        let view = PresenceView(absent: presence.user)
        deliver("user_status_change", EventJSON.change(view, at: context.now.wall), to: [session])
        guard trackers[ObjectIdentifier(session)] != nil else { return }
        deliver("user_offline", EventJSON.userID(user), to: [session])
        scheduleList()
    }

    // MARK: Sending changes

    func note(_ edges: [PresenceEdge]) {
        for edge in edges {
            if listsBeingRead > 0 { changedMeanwhile[edge.presence.user.userID] = edge.presence }
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
        // The one that is being read may lack what changed since.
        guard !isListBeingRead else { return scheduleList() }
        isListBeingRead = true
        let hub = context.services.presence
        let seesAll = { (session: Session) in
            let viewer = session.presence.listViewer
            return viewer.visible == nil && viewer.hidden.isEmpty
        }
        let others = trackers.values.filter { !seesAll($0) }
        guard others.count < trackers.count else { return sendLists(others[...]) }
        context.loop.run({ await hub.online(PresencePage(), for: PresenceViewer()) }) { [weak self] page in
            guard let self else { return }
            deliver(
                "online_users_list", EventJSON.onlineList(page, at: context.now.wall),
                to: trackers.values.filter(seesAll))
            sendLists(others[...])
        }
    }

    /// A list for each tracker that does not see all users, one after the other.
    private func sendLists(_ sessions: ArraySlice<Session>) {
        guard let session = sessions.first else { return isListBeingRead = false }
        let hub = context.services.presence
        let viewer = session.presence.listViewer
        context.loop.run({ await hub.online(PresencePage(), for: viewer) }) { [weak self] page in
            guard let self else { return }
            if trackers[ObjectIdentifier(session)] != nil {
                let list = EventJSON.onlineList(page, at: context.now.wall)
                context.slices.spend(list.count)
                deliver("online_users_list", list, to: [session])
            }
            context.slices.run { [weak self] in self?.sendLists(sessions.dropFirst()) }
        }
    }

    // MARK: Lists for sessions

    /// A list is read off the loop from now on. Changes that come meanwhile are sent before it, so it must have them.
    func beginReadingList() {
        listsBeingRead += 1
        updateInterest()
    }

    /// - Returns: users that changed while a list was read, as they are now.
    func endReadingList() -> [UserID: UserPresence] {
        defer {
            listsBeingRead -= 1
            if listsBeingRead == 0 { changedMeanwhile = [:] }
            updateInterest()
        }
        return changedMeanwhile
    }
}
