import ChatProtocol
import ChatDomain
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
    /// How often other instances and the store are told that a session is in use.
    private static let activityInterval: Duration = .seconds(30)
    /// How often a client's heartbeat, and activity on this instance, move when the user was last seen.
    private static let sightInterval: Duration = .seconds(1)

    private var hub: PresenceHub { context.services.presence }

    func register(_ found: Identity) {
        let now = context.now
        presence.lastActiveAt = now.monotonic
        presence.seenAt = now.monotonic
        presence.toldActiveAt = now.monotonic
        context.services.gracePeriods.end(id)
        context.services.users.add(id, at: address, of: found.userID, now: now.monotonic)
        hub.seen.note(
            found.userID,
            Profile(
                name: found.name, username: found.username == found.userID.value ? nil : found.username,
                email: found.email, avatar: found.avatar))
        let record = SessionRecord(
            id: id, instance: context.services.configuration.instance,
            user: RoomUser(userID: found.userID, username: found.username), userAgent: handshake.userAgent,
            connectedAt: now.wall)
        hub.directory.connect(record) { [services = context.services] evicted in
            for session in evicted { services.end(session, .replaced) }
        }
    }

    func update(_ update: SessionUpdate) {
        guard let user = identity?.userID else { return }
        hub.directory.update(id, of: user, update, at: context.now.wall)
    }

    /// - Parameter isHeartbeat: whether the client sent it for nothing else than to be seen.
    func noteActivity(isHeartbeat: Bool) {
        let now = context.now.monotonic
        presence.lastActiveAt = now
        guard let user = identity?.userID, presence.isIdle || now - presence.seenAt >= Self.sightInterval else {
            return
        }
        presence.seenAt = now
        hub.see(user, at: context.now.wall)
        guard presence.isIdle || isHeartbeat || now - presence.toldActiveAt >= Self.activityInterval else { return }
        presence.isIdle = false
        presence.toldActiveAt = now
        update(.active)
        guard hub.presence(of: user)?.status.isOnline == true else { return }
        hub.seen.note(user, at: context.now.wall)
    }

    /// Called now and then.
    func checkIdleness(after limit: Duration) {
        guard identity != nil, !presence.isIdle, context.now.monotonic - presence.lastActiveAt >= limit else { return }
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
    package func beginWatching() {
        if encoding.isFlat { watchEverybody() }
        if hub.settings.isForFriendsOnly { readFriends() }
    }

    func watchEverybody() {
        presence.watch.watchesEverybody = true
        registry.watchers.setEverybody(self, true)
        index()
    }

    var watchesPresence: Bool { !presence.watch.isEmpty || registry.watchers.rooms.isWatching(self) }

    /// Whether this session's user may see another.
    func mayShow(_ user: UserID) -> Bool {
        !hub.settings.isForFriendsOnly || isService || presence.friends?.contains(user) == true
    }

    private func readFriends() {
        guard let user = identity?.userID, presence.awaitingFriends == nil else { return }
        presence.awaitingFriends = []
        context.loop.run({ [hub] in await hub.friends(of: user) }) { [weak self] friends in
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
        for user in friends.subtracting(before) where registry.watchers.hears(of: user, self) {
            registry.watchers.show(user, to: [self])
        }
    }

    /// Brings the shard's index up to what is watched; one's own changes come with whatever is watched.
    func index() {
        var wanted = presence.watch.users
        if presence.watch.watchesFriends { wanted.formUnion(presence.friends ?? []) }
        let watchesAnything = presence.watch.watchesEverybody || !wanted.isEmpty
        if watchesAnything, let user = identity?.userID { wanted.insert(user) }
        registry.watchers.remove(self, of: presence.indexed.subtracting(wanted))
        registry.watchers.add(self, of: wanted.subtracting(presence.indexed))
        presence.indexed = wanted
    }
}
