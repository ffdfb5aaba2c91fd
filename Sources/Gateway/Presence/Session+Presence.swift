import ChatProtocol
import ChatDomain
import EventLoop
import Identity
import JSON

/// What a session keeps about presence.
struct SessionPresence {
    var watch = WatchList()
    /// Whose edges the shard's index brings here.
    var indexed: Set<UserID> = []
    /// Read when only friends are visible, or when they are watched.
    var friends: Set<UserID>?
    /// What waits for them to be read; nil while they are not being read.
    var awaitingFriends: [() -> Void]?
    var lastActiveAt = Moment(milliseconds: 0)
    var seenAt = Moment(milliseconds: 0)
    var toldActiveAt = Moment(milliseconds: 0)
    var isIdle = false
    /// Whether the user goes without a grace period.
    var leavesAtOnce = false
}

extension ClientCommand {
    /// Whether it shows that somebody is at the device; pings come from programs.
    var isActivity: Bool {
        switch self {
        case .ping, .authenticate: false
        default: true
        }
    }

    /// Whether it says that its user is there and nothing else.
    var isHeartbeat: Bool { if case .userActivity = self { true } else { false } }
}

/// A session in the directory: how it comes, shows signs of life, and goes.
extension Session {
    /// How often other instances and the store are told that a session is in use, in milliseconds.
    private static let activityInterval: Int64 = 30_000
    /// How often a client's heartbeat, and activity on this instance, move when the user was last seen, in milliseconds.
    private static let sightInterval: Int64 = 1000

    private var hub: PresenceHub { shard.services.presence }

    func register(_ found: Identity) {
        let now = shard.now
        presence.lastActiveAt = now.monotonic
        presence.seenAt = now.monotonic
        presence.toldActiveAt = now.monotonic
        shard.services.gracePeriods.end(id)
        shard.services.users.add(id, at: address, of: found.userID, now: now.monotonic)
        hub.seen.note(
            found.userID,
            Profile(
                name: found.name, username: found.username == found.userID.value ? nil : found.username,
                email: found.email, avatar: found.avatar))
        let record = SessionRecord(
            id: id, instance: shard.services.configuration.instance,
            user: RoomUser(userID: found.userID, username: found.username), userAgent: handshake.userAgent,
            connectedAt: now.wall)
        hub.directory.connect(record) { [services = shard.services] evicted in
            for session in evicted { services.end(session, .replaced) }
        }
    }

    func update(_ update: SessionUpdate) {
        guard let user = identity?.userID else { return }
        hub.directory.update(id, of: user, update, at: shard.now.wall)
    }

    /// - Parameter isHeartbeat: whether the client sent it for nothing else than to be seen.
    func noteActivity(isHeartbeat: Bool) {
        let now = shard.now.monotonic
        presence.lastActiveAt = now
        guard let user = identity?.userID, presence.isIdle || now - presence.seenAt >= Self.sightInterval else {
            return
        }
        presence.seenAt = now
        hub.see(user, at: shard.now.wall)
        guard presence.isIdle || isHeartbeat || now - presence.toldActiveAt >= Self.activityInterval else { return }
        presence.isIdle = false
        presence.toldActiveAt = now
        update(.active)
        guard hub.presence(of: user)?.status.isOnline == true else { return }
        hub.seen.note(user, at: shard.now.wall)
    }

    /// Called now and then.
    func checkIdleness(after limit: Int64) {
        guard identity != nil, !presence.isIdle, shard.now.monotonic - presence.lastActiveAt >= limit else { return }
        presence.isIdle = true
        update(.idle(true))
    }

    /// Ends the session for good, and with it what others see of it.
    func logOut() {
        presence.leavesAtOnce = true
        refuse(ChatError(.unauthorized, "logged out"), event: nil, tag: nil)
        end(.unauthorized, reason: "logged out")
    }

    // MARK: Watching

    /// Called once it is known who this is.
    func beginWatching() {
        if encoding.isFlat { watchEverybody() }
        if hub.settings.isForFriendsOnly { readFriends() }
    }

    func watchEverybody() {
        presence.watch.watchesEverybody = true
        shard.watchers.setEverybody(self, true)
        index()
    }

    var watchesPresence: Bool { !presence.watch.isEmpty || shard.watchers.rooms.isWatching(self) }

    /// Whether this session's user may see another.
    func mayShow(_ user: UserID) -> Bool {
        !hub.settings.isForFriendsOnly || isService || presence.friends?.contains(user) == true
    }

    private func readFriends() {
        guard let user = identity?.userID, presence.awaitingFriends == nil else { return }
        presence.awaitingFriends = []
        shard.run({ [hub] in await hub.friends(of: user) }) { [weak self] friends in
            guard let self, !isClosed else { return }
            presence.friends = friends
            index()
            let waiting = presence.awaitingFriends ?? []
            presence.awaitingFriends = nil
            for body in waiting { body() }
        }
    }

    /// Finds out which users rooms may show to this session, nil for all; at once but for the session's first moments.
    func withVisibleUsers(_ body: @escaping (Session, Set<UserID>?) -> Void) {
        guard let user = identity?.userID, hub.settings.isForFriendsOnly, !isService else { return body(self, nil) }
        if let friends = presence.friends { return body(self, friends.union([user])) }
        readFriends()
        presence.awaitingFriends?.append { [weak self] in self?.withVisibleUsers(body) }
    }

    func befriended(_ user: UserID, isFriend: Bool) {
        guard var friends = presence.friends else { return }
        if isFriend { friends.insert(user) } else { friends.remove(user) }
        setFriends(friends)
    }

    /// Who is new among them and there is shown, where that is watched.
    func setFriends(_ friends: Set<UserID>) {
        guard let before = presence.friends, before != friends else { return }
        presence.friends = friends
        index()
        for user in friends.subtracting(before) where shard.watchers.hears(of: user, self) {
            shard.watchers.show(user, to: [self])
        }
    }

    /// Brings the shard's index up to what is watched; one's own changes come with whatever is watched.
    func index() {
        var wanted = presence.watch.users
        if presence.watch.watchesFriends { wanted.formUnion(presence.friends ?? []) }
        let watchesAnything = presence.watch.watchesEverybody || !wanted.isEmpty
        if watchesAnything, let user = identity?.userID { wanted.insert(user) }
        shard.watchers.remove(self, of: presence.indexed.subtracting(wanted))
        shard.watchers.add(self, of: wanted.subtracting(presence.indexed))
        presence.indexed = wanted
    }
}

extension ShardCore {
    /// A session's connection is gone: its user stays in sight until the grace period is over.
    func leave(_ session: Session, _ user: UserID) {
        watchers.forget(session)
        let directory = services.presence.directory
        let grace = session.presence.leavesAtOnce ? 0 : services.presence.settings.graceMilliseconds
        guard grace > 0 else { return directory.remove(session.id, of: user, at: now.wall) }
        directory.update(session.id, of: user, .lingering, at: now.wall)
        lingering.add(session.rooms, by: session.id, of: user)
        let ticket = services.gracePeriods.begin(session.id)
        loop.schedule(after: grace) { [weak self, id = session.id] in
            guard let self else { return }
            lingering.remove(id, of: user)
            guard services.gracePeriods.isOver(id, ticket) else { return }
            directory.remove(id, of: user, at: now.wall)
        }
    }

    /// Looks for sessions nobody sits at, again and again.
    func watchIdleness() {
        guard let limit = services.presence.settings.awayAfterMilliseconds else { return }
        for session in sessions.all { session.checkIdleness(after: limit) }
        loop.schedule(after: min(max(limit / 4, 100), 15_000)) { [weak self] in self?.watchIdleness() }
    }
}
