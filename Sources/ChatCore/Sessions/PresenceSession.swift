import ChatDomain
import ChatProtocol
import Identity

/// A session's share in presence: what others see of it, and the users its client watches.
package final class PresenceSession {
    /// How often the activity of a session is reported to other instances and the store.
    private static let activityInterval: Duration = .seconds(30)
    /// How often a client's heartbeat, and activity on this instance, move when the user was last seen.
    private static let sightInterval: Duration = .seconds(1)

    unowned let session: Session
    private(set) var watch = WatchList()
    /// Users whose edges the shard's index brings here.
    private(set) var indexed: Set<UserID> = []
    /// Read when only friends are visible, or when they are watched.
    private(set) var friends: Set<UserID>?
    /// What waits for the friends to be read; nil while they are not being read.
    private var awaitingFriends: [() -> Void]?
    /// What waits until it is known how the user stands; nil while nothing waits.
    private var awaitingPresence: [() -> Void]?
    private(set) var lastActiveAt: Now
    private var seenAt = Moment(milliseconds: 0)
    private var reportedActiveAt = Moment(milliseconds: 0)
    private var isIdle = false
    /// Whether the user goes without a grace period.
    private(set) var leavesAtOnce = false

    init(_ session: Session) {
        self.session = session
        lastActiveAt = session.connectedAt
    }

    var hub: PresenceHub { session.context.services.presence }
    var context: ShardContext { session.context }
    var watchers: PresenceWatchers { session.registry.watchers }
    /// The session's user; nil until it is known.
    var userID: UserID? { session.identity?.userID }

    // MARK: Being there

    func register(_ found: Identity) {
        let now = context.now
        lastActiveAt = now
        seenAt = now.monotonic
        reportedActiveAt = now.monotonic
        context.services.gracePeriods.end(session.id)
        context.services.users.add(session.id, at: session.address, of: found.userID, now: now.monotonic)
        hub.seen.note(
            found.userID,
            Profile(
                name: found.name, username: found.username == found.userID.value ? nil : found.username,
                email: found.email, avatar: found.avatar))
        let record = SessionRecord(
            id: session.id, instance: context.services.configuration.instance,
            user: RoomUser(userID: found.userID, username: found.username), userAgent: session.handshake.userAgent,
            connectedAt: now.wall)
        readBlockers()
        hub.directory.connect(record) { [services = context.services] evicted in
            for session in evicted { services.end(session, .replaced) }
        }
    }

    func update(_ update: SessionUpdate) {
        guard let user = userID else { return }
        hub.directory.update(session.id, of: user, update, at: context.now.wall)
    }

    /// - Parameter isHeartbeat: whether the client sent it for nothing else than to be seen.
    func noteActivity(isHeartbeat: Bool) {
        let now = context.now
        lastActiveAt = now
        guard let user = userID, isIdle || now.monotonic - seenAt >= Self.sightInterval else { return }
        seenAt = now.monotonic
        hub.see(user, at: now.wall)
        guard isIdle || isHeartbeat || now.monotonic - reportedActiveAt >= Self.activityInterval else { return }
        isIdle = false
        reportedActiveAt = now.monotonic
        update(.active)
        guard hub.presence(of: user)?.status.isOnline == true else { return }
        hub.seen.note(user, at: now.wall)
    }

    /// Called now and then.
    func checkIdleness(after limit: Duration) {
        guard userID != nil, !isIdle, context.now.monotonic - lastActiveAt.monotonic >= limit else { return }
        isIdle = true
        update(.idle(true))
    }

    /// Ends the session for good, and with it what others see of it.
    func logOut(
        _ error: ChatError = ChatError(.unauthorized, "logged out"), _ code: CloseCode = .unauthorized
    ) {
        leavesAtOnce = true
        session.refuse(error, event: nil, tag: nil)
        session.end(code, reason: error.message)
    }

    // MARK: What other instances know of the user

    /// How long a client waits for that.
    private static let loadingLimit: Duration = .seconds(1)

    /// Whether it is known here how the session's user stands, on all instances.
    var isLoaded: Bool { userID.map(hub.isLoaded) ?? true }

    /// Runs `body` once it is known here how the session's user stands, at once where it is. Until then a user that hides on
    /// another instance would be shown by what the session does.
    package func whenLoaded(_ body: @escaping () -> Void) {
        guard let user = userID, !isLoaded else { return body() }
        if awaitingPresence != nil {
            awaitingPresence?.append(body)
            return
        }
        awaitingPresence = [body]
        let timer = context.loop.schedule(after: Self.loadingLimit) { [session] in session.presence.didLoad() }
        context.loop.runHere({ [hub] in await hub.directory.load([user]) }) { [session, loop = context.loop] in
            loop.cancel(timer)
            session.presence.didLoad()
        }
    }

    private func didLoad() {
        let waiting = awaitingPresence ?? []
        awaitingPresence = nil
        for body in waiting where !session.isClosed { body() }
    }

    // MARK: Watching

    /// Called once, when the session's user is known.
    package func beginWatching() {
        if session.encoding.isFlat { watchEverybody() }
        if hub.settings.isForFriendsOnly { readFriends() }
    }

    func watchEverybody() {
        watch.watchesEverybody = true
        watchers.setEverybody(session, true)
        index()
    }

    var watchesPresence: Bool { !watch.isEmpty || watchers.rooms.isWatching(session) }

    /// Whether this session's user may see another.
    func mayShow(_ user: UserID) -> Bool {
        if session.isService { return true }
        if blockers.holds(user) { return false }
        return !hub.settings.isForFriendsOnly || friends?.contains(user) == true
    }

    /// The users that block this session's one, as far as is known at once.
    private var blockers: Blockers { userID.map(standings.knownBlockers) ?? Blockers() }

    private var standings: UserStandings { context.services.standings }

    /// Finds out which users block this session's one.
    private func readBlockers(then body: @escaping (Blockers) -> Void = { _ in }) {
        guard let user = userID, !standings.knowsBlockers(of: user) else { return body(blockers) }
        let contact = hub.directory.contact
        context.loop.run({ [standings] in await standings.blockers(of: user, isHere: true, contact) }, then: body)
    }

    /// How the session's user lists who is online.
    var listViewer: PresenceViewer {
        guard let user = userID, !session.isService else { return PresenceViewer(user: userID) }
        return hub.viewer(user, visible: hub.settings.isForFriendsOnly ? friends ?? [] : nil, blockers)
    }

    /// Whether this session's user may see all others.
    var mayShowEverybody: Bool { !hub.settings.isForFriendsOnly || session.isService }

    private func readFriends() {
        guard let user = userID, awaitingFriends == nil else { return }
        awaitingFriends = []
        context.loop.run({ [hub] in await hub.friends(of: user) }) { [session] friends in
            guard !session.isClosed else { return }
            session.presence.received(friends)
        }
    }

    private func received(_ friends: Set<UserID>) {
        self.friends = friends
        index()
        let waiting = awaitingFriends ?? []
        awaitingFriends = nil
        for body in waiting { body() }
    }

    /// Finds out which users rooms may show to this session; at once but for the session's first moments.
    func withVisibleUsers(_ body: @escaping (Session, VisibleUsers) -> Void) {
        guard let user = userID, !session.isService else { return body(session, .everybody) }
        readBlockers { [session] blockers in
            guard !session.isClosed else { return }
            session.presence.withFriends { session, friends in
                body(session, session.presence.hub.viewer(user, visible: friends, blockers).visibleUsers)
            }
        }
    }

    /// - Parameter body: takes the only users that may be shown, were it not for blocks; nil for all.
    private func withFriends(_ body: @escaping (Session, Set<UserID>?) -> Void) {
        guard hub.settings.isForFriendsOnly else { return body(session, nil) }
        if let friends { return body(session, friends) }
        readFriends()
        awaitingFriends?.append { [unowned self] in withFriends(body) }
    }

    func receivedFriendship(_ user: UserID, isFriend: Bool) {
        guard var friends else { return }
        if isFriend { friends.insert(user) } else { friends.remove(user) }
        setFriends(friends)
    }

    /// Takes the user's friends as they are now; new friends are shown where friends are watched.
    func setFriends(_ friends: Set<UserID>) {
        guard let before = self.friends, before != friends else { return }
        self.friends = friends
        index()
        let shown = friends.subtracting(before).filter { watchers.receives(changesOf: $0, session) }
        watchers.show(shown) { [weak session] _ in session.flatMap { $0.isClosed ? nil : [$0] } ?? [] }
    }

    func watch(_ users: [UserID]) throws(ChatError) {
        try watch.add(users)
        index()
    }

    /// - Parameter friends: as they were just read.
    func watchFriends(_ friends: Set<UserID>) {
        self.friends = friends
        index()
    }

    func beginWatchingFriends() { watch.watchesFriends = true }

    func unwatch(_ subject: PresenceSubject) {
        switch subject {
        case .users(let users): watch.remove(users)
        case .rooms(let rooms): watchers.rooms.remove(session, from: rooms)
        case .friends: watch.watchesFriends = false
        case .everybody: watch.watchesEverybody = false
        case .anything:
            watch.removeAll()
            watchers.rooms.forget(session)
        }
        watchers.setEverybody(session, watch.watchesEverybody)
        index()
    }

    /// Brings the shard's index up to what is watched; one's own changes come with whatever is watched.
    private func index() {
        var wanted = watch.users
        // Where a session sees friends only, they are everybody.
        if watch.watchesFriends || watch.watchesEverybody && !mayShowEverybody { wanted.formUnion(friends ?? []) }
        let watchesAnything = watch.watchesEverybody || !wanted.isEmpty
        if watchesAnything, let user = userID { wanted.insert(user) }
        watchers.remove(session, of: indexed.subtracting(wanted))
        watchers.add(session, of: wanted.subtracting(indexed))
        indexed = wanted
    }
}
