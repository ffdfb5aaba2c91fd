import ChatDomain
import ChatProtocol
import Identity

/// A session's share in presence: what others see of it, and the users its client watches.
package struct PresenceSession {
    /// Kept in the session.
    struct State {
        fileprivate var lastActiveAt: Now
        fileprivate var seenAt = Moment(milliseconds: 0)
        fileprivate var reportedActiveAt = Moment(milliseconds: 0)
        fileprivate var isIdle = false
        fileprivate var leavesAtOnce = false
        /// nil for a session that watches nothing, as most do.
        fileprivate var watching: Watching?

        init(connectedAt: Now) { lastActiveAt = connectedAt }
    }

    /// What a session watches, and what waits for that to be known.
    fileprivate final class Watching {
        var list = WatchList()
        /// Users whose edges the shard's index brings here.
        var indexed: Set<UserID> = []
        /// Read when only friends are visible, or when they are watched.
        var friends: Set<UserID>?
        /// What waits for the friends to be read; nil while they are not being read.
        var awaitingFriends: [() -> Void]?
        /// What waits until it is known how the user stands; nil while nothing waits.
        var awaitingPresence: [() -> Void]?
        /// Ends that waiting in any case.
        var loadingTimer: LoopTimer?
    }

    /// How often the activity of a session is reported to other instances and the store.
    private static let activityInterval: Duration = .seconds(30)
    /// How often a client's heartbeat, and activity on this instance, move when the user was last seen.
    private static let sightInterval: Duration = .seconds(1)

    let session: Session

    private var state: State {
        get { session.presenceState }
        nonmutating _modify { yield &session.presenceState }
    }

    /// What is watched, made where there was nothing.
    private var watching: Watching {
        if let watching = state.watching { return watching }
        let watching = Watching()
        state.watching = watching
        return watching
    }

    var lastActiveAt: Now { state.lastActiveAt }
    /// Whether the user goes without a grace period.
    var leavesAtOnce: Bool { state.leavesAtOnce }
    var watch: WatchList { state.watching?.list ?? WatchList() }
    /// Users whose edges the shard's index brings here.
    var indexed: Set<UserID> { state.watching?.indexed ?? [] }
    /// nil where they were not read.
    var friends: Set<UserID>? { state.watching?.friends }
    var hub: PresenceHub { session.context.services.presence }
    var context: ShardContext { session.context }
    var watchers: PresenceWatchers { session.registry.watchers }
    /// The session's user; nil until it is known.
    var userID: UserID? { session.identity?.userID }

    // MARK: Being there

    func register(_ found: Identity) {
        let now = context.now
        state.lastActiveAt = now
        state.seenAt = now.monotonic
        state.reportedActiveAt = now.monotonic
        context.services.gracePeriods.end(session.id)
        context.services.users.add(session.address, of: found.userID)
        var profile = found.profile
        profile.username = found.username == found.userID.value ? nil : found.username
        hub.seen.note(found.userID, profile)
        let record = SessionRecord(
            id: session.id, instance: context.services.configuration.instance,
            user: RoomUser(userID: found.userID, username: found.username), userAgent: session.channel.origin.userAgent,
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
        state.lastActiveAt = now
        guard let user = userID, state.isIdle || now.monotonic - state.seenAt >= Self.sightInterval else { return }
        state.seenAt = now.monotonic
        hub.see(user, at: now.wall)
        guard state.isIdle || isHeartbeat || now.monotonic - state.reportedActiveAt >= Self.activityInterval else {
            return
        }
        state.isIdle = false
        state.reportedActiveAt = now.monotonic
        update(.active)
        guard hub.presence(of: user)?.status.isOnline == true else { return }
        hub.seen.note(user, at: now.wall)
    }

    /// Called now and then.
    func checkIdleness(after limit: Duration) {
        guard userID != nil, !state.isIdle, context.now.monotonic - lastActiveAt.monotonic >= limit else { return }
        state.isIdle = true
        update(.idle(true))
    }

    /// Ends the session for good, and with it what others see of it.
    func logOut(
        _ error: ChatError = ChatError(.unauthorized, "logged out"), _ code: CloseCode = .unauthorized
    ) {
        state.leavesAtOnce = true
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
        guard watching.awaitingPresence == nil else {
            watching.awaitingPresence?.append(body)
            return
        }
        watching.awaitingPresence = [body]
        watching.loadingTimer = context.loop.schedule(after: Self.loadingLimit) { [session] in
            session.presence.didLoad()
        }
        let mailbox = context.services.mailbox(context.index)
        hub.directory.load([user]) { [address = session.address] in mailbox.post(.loaded(address)) }
    }

    /// It is known how the user stands, or not to be known in time.
    package func didLoad() {
        if let timer = state.watching?.loadingTimer { context.loop.cancel(timer) }
        state.watching?.loadingTimer = nil
        let waiting = state.watching?.awaitingPresence ?? []
        state.watching?.awaitingPresence = nil
        for body in waiting where !session.isClosed { body() }
    }

    // MARK: Watching

    /// Called once, when the session's user is known.
    package func beginWatching() {
        if session.encoding.isFlat { watchEverybody() }
        if hub.settings.isForFriendsOnly { readFriends() }
    }

    func watchEverybody() {
        watching.list.watchesEverybody = true
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
        guard let user = userID, watching.awaitingFriends == nil else { return }
        watching.awaitingFriends = []
        context.loop.run({ [hub] in await hub.friends(of: user) }) { [session] friends in
            guard !session.isClosed else { return }
            session.presence.received(friends)
        }
    }

    private func received(_ friends: Set<UserID>) {
        watching.friends = friends
        index()
        let waiting = watching.awaitingFriends ?? []
        watching.awaitingFriends = nil
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
        watching.awaitingFriends?.append { [unowned session] in session.presence.withFriends(body) }
    }

    func receivedFriendship(_ user: UserID, isFriend: Bool) {
        guard var friends else { return }
        if isFriend { friends.insert(user) } else { friends.remove(user) }
        setFriends(friends)
    }

    /// Takes the user's friends as they are now; new friends are shown where friends are watched.
    func setFriends(_ friends: Set<UserID>) {
        guard let before = self.friends, before != friends else { return }
        watching.friends = friends
        index()
        let shown = friends.subtracting(before).filter { watchers.receives(changesOf: $0, session) }
        watchers.show(shown) { [weak session] _ in session.flatMap { $0.isClosed ? nil : [$0] } ?? [] }
    }

    func watch(_ users: [UserID]) throws(ChatError) {
        try watching.list.add(users)
        index()
    }

    /// - Parameter friends: as they were just read.
    func watchFriends(_ friends: Set<UserID>) {
        watching.friends = friends
        index()
    }

    func beginWatchingFriends() { watching.list.watchesFriends = true }

    func unwatch(_ subject: PresenceSubject) {
        switch subject {
        case .users(let users): state.watching?.list.remove(users)
        case .rooms(let rooms): watchers.rooms.remove(session, from: rooms)
        case .friends: state.watching?.list.watchesFriends = false
        case .everybody: state.watching?.list.watchesEverybody = false
        case .anything:
            state.watching?.list.removeAll()
            watchers.rooms.forget(session)
        }
        watchers.setEverybody(session, watch.watchesEverybody)
        index()
    }

    /// Brings the shard's index up to what is watched; one's own changes come with whatever is watched.
    private func index() {
        guard let watching = state.watching else { return }
        let watch = watching.list
        var wanted = watch.users
        // Where a session sees friends only, they are everybody.
        if watch.watchesFriends || watch.watchesEverybody && !mayShowEverybody { wanted.formUnion(friends ?? []) }
        let watchesAnything = watch.watchesEverybody || !wanted.isEmpty
        if watchesAnything, let user = userID { wanted.insert(user) }
        watchers.remove(session, of: watching.indexed.subtracting(wanted))
        watchers.add(session, of: wanted.subtracting(watching.indexed))
        watching.indexed = wanted
    }
}
