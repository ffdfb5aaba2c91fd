import ChatDomain
import Telemetry

/// The presence of users, for all shards of this instance. Kept are the users with sessions here and those that clients here
/// watch. Changes that the directory reports update them, and the edges they make go to the shards. Other users, and lists, are
/// asked of the directory.
package final class PresenceHub: Sendable {
    package let directory: any SessionDirectory
    package let settings: PresenceSettings
    package let seen: LastSeenLog
    package let interest = PresenceInterest()
    private let store: any DurableStore
    private let standings: UserStandings
    private let trouble: OccasionalLogger
    private let gauge: Gauge
    /// Called with the edges others see, in order for each user, and whether this instance made them.
    private let changed: (@Sendable (PresenceEdge, _ isOwn: Bool) -> Void)?
    private let kept: KeptPresence
    private let instance: InstanceID

    package init(
        instance: InstanceID, directory: any SessionDirectory, store: any DurableStore, standings: UserStandings,
        settings: PresenceSettings,
        changed: (@Sendable (PresenceEdge, _ isOwn: Bool) -> Void)?, online: Gauge, logger: Logger
    ) {
        self.instance = instance
        self.directory = directory
        kept = KeptPresence(directory)
        self.store = store
        self.standings = standings
        self.settings = settings
        gauge = online
        self.changed = changed
        seen = LastSeenLog(store: store)
        trouble = OccasionalLogger(logger)
    }

    /// - Parameters:
    ///   - announce: posts changes to the shards that need them, in order for each user.
    ///   - notify: posts to every shard, in order.
    ///   - perform: does what another instance asked for.
    package func start(
        announce: @escaping @Sendable ([PresenceEdge]) -> Void, notify: @escaping @Sendable (ShardMessage) -> Void,
        perform: @escaping @Sendable (InstanceMessage) -> Void
    ) {
        directory.start { [self] event in
            switch event {
            case .changed(let news, let isFirst):
                kept.apply(news, isFirst: isFirst) { edge in
                    remember(edge, isOwn: news.origin == instance)
                    announce([edge])
                }
            case .passed(let news):
                remember(
                    PresenceEdge(before: news.assumedBefore, presence: news.presence), isOwn: news.origin == instance)
            case .learned(let users): kept.learn(users)
            case .compared(let users):
                kept.compare(users, at: Timestamp(milliseconds: WallClock.milliseconds()), announce: announce)
            case .forgotten(let users): kept.forget(users)
            case .counted(let online): gauge.set(online)
            case .lost(let instance): notify(.lost(instance))
            case .lapsed: notify(.reconnected)
            case .received(let payload):
                guard let message = InstanceMessage(decoding: payload) else {
                    return trouble.warning("instance message not understood")
                }
                perform(message)
            }
        }
    }

    // MARK: Following

    /// A shard's sessions begin to watch users.
    func follow(_ users: [UserID], on shard: UInt16, as reason: PresenceInterest.Reason) {
        interest.begin(users, on: shard, as: reason)
        directory.follow(users)
    }

    /// None of a shard's sessions watches users any more for this reason.
    func unfollow(_ users: [UserID], on shard: UInt16, as reason: PresenceInterest.Reason) {
        interest.end(users, on: shard, as: reason)
        directory.unfollow(users)
    }

    package func close() async {
        await directory.close()
        await flush()
    }

    /// The instance that made an edge stores when the user was seen, where the store is for all, and publishes it.
    private func remember(_ edge: PresenceEdge, isOwn: Bool) {
        guard edge.isVisible else { return }
        if isOwn || settings.storesForItself { seen.note(edge.presence.user.userID, at: edge.presence.lastSeen) }
        changed?(edge, isOwn)
    }

    /// Stores when users were last seen, and their names. Called periodically.
    package func flush() async {
        do throws(StoreError) { try await seen.flush() } catch {
            trouble.warning("last seen not stored", ["reason": "\(error)"])
        }
    }

    /// Something came from a user here.
    package func see(_ user: UserID, at now: Timestamp) { kept.see(user, at: now) }

    // MARK: Looking

    /// What `user` may see. Friends come from the store and from where other services keep them.
    ///
    /// - Parameter isService: whether the service key was shown.
    package func viewer(_ user: UserID?, isService: Bool = false) async -> PresenceViewer {
        guard !isService else { return PresenceViewer(user: user) }
        guard let user else { return PresenceViewer(visible: settings.isForFriendsOnly ? [] : nil) }
        guard settings.isForFriendsOnly else { return viewer(user, visible: nil, await blockers(of: user)) }
        async let friends = friends(of: user)
        return viewer(user, visible: await friends, await blockers(of: user))
    }

    /// - Parameter visible: the only users that exist for the viewer, were it not for blocks; nil for all.
    package func viewer(_ user: UserID, visible: Set<UserID>?, _ blockers: Blockers) -> PresenceViewer {
        guard !blockers.isEmpty else { return PresenceViewer(user: user, visible: visible) }
        guard !blockers.isEverybody else { return PresenceViewer(user: user, visible: []) }
        return PresenceViewer(
            user: user, visible: visible?.subtracting(blockers.users), hidden: blockers.users)
    }

    /// The users that block this one.
    package func blockers(of user: UserID) async -> Blockers {
        await standings.blockers(of: user, isHere: false, directory.contact)
    }

    /// The viewer that services are: it sees every user except those that hide.
    package static let service = PresenceViewer()

    /// Whether a user with a session here is there and others may not know it: at once for a user that hid on this instance, and
    /// as soon as the news arrives for one that hid on another.
    package func isHidden(_ user: UserID) -> Bool { isHidden(user, presence(of: user)) }

    private func isHidden(_ user: UserID, _ presence: UserPresence?) -> Bool {
        if directory.ownPresence(of: user)?.actualStatus == .invisible { return true }
        return presence.map { !$0.status.isOnline } ?? false
    }

    /// Those of these users that are there and hide.
    package func hidden(among users: [UserID]) async -> Set<UserID> {
        let present = await presence(of: users)
        return Set(users.filter { isHidden($0, present[$0]) })
    }

    /// Empty where the friends cannot be read, so that no user is shown to a viewer without the right.
    package func friends(of user: UserID) async -> Set<UserID> {
        async let shared = directory.sharedFriends(of: [user])
        guard let own = await storedFriends(of: user) else { return [] }
        return own.union(await shared?[user] ?? [])
    }

    /// nil where they cannot be read.
    package func storedFriends(of user: UserID) async -> Set<UserID>? {
        do throws(StoreError) { return try await store.friends(of: user) } catch {
            trouble.warning("friends not read", ["reason": "\(error)"])
            return nil
        }
    }

    /// Whether it is known how a user stands that has a session here or is watched here.
    package func isLoaded(_ user: UserID) -> Bool { kept.knows(user) }

    /// How many users' presence is kept here beside the directory.
    package var keptUsers: Int { kept.count }

    /// How a user stands that has a session here or is watched here; nil for any other, and for one without a session.
    package func presence(of user: UserID) -> UserPresence? { kept.presence(of: user) }

    /// How users stand, kept here or not; a user without a session is left out.
    package func presence(of users: [UserID]) async -> [UserID: UserPresence] {
        let (found, unknown) = kept.lookUp(users)
        guard !unknown.isEmpty else { return found }
        return found.merging(await directory.presence(of: unknown)) { $1 }
    }

    /// The presence of these users, in the order asked.
    package func views(of users: [UserID], for viewer: PresenceViewer) async -> [PresenceView] {
        let present = await presence(of: users.filter(viewer.sees))
        let absentees = await profiles(
            of: users.filter { viewer.hidden.contains($0) || viewer.sees($0) && present[$0] == nil })
        return users.map { view(of: $0, present[$0], for: viewer, absentees) }
    }

    /// The stored profiles of users that are kept here, offline and visible.
    package func absentees(among users: [UserID], for viewer: PresenceViewer) async -> [UserID: Profile] {
        await profiles(
            of: users.filter { viewer.hidden.contains($0) || viewer.sees($0) && kept.presence(of: $0) == nil })
    }

    /// The presence of users that are kept here at this moment, in the order asked.
    package func views(
        of users: [UserID], for viewer: PresenceViewer, _ absentees: [UserID: Profile]
    ) -> [PresenceView] {
        zip(users, kept.presence(of: users)).map { view(of: $0, $1, for: viewer, absentees) }
    }

    private func view(
        of user: UserID, _ presence: UserPresence?, for viewer: PresenceViewer, _ absentees: [UserID: Profile]
    ) -> PresenceView {
        guard viewer.sees(user) else {
            var view = absence(of: user, absentees[user])
            view.lastSeen = nil
            return view
        }
        return presence.map { PresenceView($0, for: viewer.user) } ?? absence(of: user, absentees[user])
    }

    /// What the store knows of people; nothing where it cannot be read.
    package func profiles(of users: [UserID]) async -> [UserID: Profile] {
        guard !users.isEmpty else { return [:] }
        do throws(StoreError) { return try await store.profiles(of: users) } catch {
            trouble.warning("profiles not read", ["reason": "\(error)"])
            return [:]
        }
    }

    /// A page of all users ever seen; `next` is the cursor of the following page, nil at the end.
    package func known(
        _ page: PresencePage, for viewer: PresenceViewer
    ) async throws(ChatError) -> (views: [PresenceView], next: UserID?) {
        await flush()
        let found: [(user: UserID, profile: Profile)]
        do throws(StoreError) {
            if let visible = viewer.visibleUsers.only {
                found = try await known(among: visible, page)
            } else {
                found = try await store.knownUsers(after: page.cursor, limit: page.limit + 1)
            }
        } catch { throw .storageUnavailable }
        var budget = PageBudget()
        let shown = found.prefix(page.limit).prefix { user, profile in
            budget.takes(
                PresenceView(absent: RoomUser(userID: user, username: profile.username ?? profile.name ?? user.value))
                    .encodedBytes)
        }
        let present = await presence(of: shown.map(\.user).filter(viewer.sees))
        let views = shown.map { user, profile in
            var view = present[user].map { PresenceView($0, for: viewer.user) } ?? absence(of: user, profile)
            if view.user.username == user.value, let name = profile.username ?? profile.name {
                view.user.username = name
            }
            if viewer.hidden.contains(user) { view.lastSeen = nil }
            return view
        }
        return (views, found.count > shown.count ? shown.last?.user : nil)
    }

    /// The users of a page, and one more where there is one; others are not looked at, so that no cursor names them.
    private func known(
        among users: Set<UserID>, _ page: PresencePage
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] {
        var left = users.filter { user in page.cursor.map { $0 < user } ?? true }
            .sorted()[...]
        var found: [(user: UserID, profile: Profile)] = []
        while found.count <= page.limit, !left.isEmpty {
            let slice = Array(left.prefix(page.limit + 1))
            left = left.dropFirst(slice.count)
            let profiles = try await store.profiles(of: slice)
            found += slice.compactMap { user in profiles[user].map { (user: user, profile: $0) } }
        }
        return found
    }

    private func absence(of user: UserID, _ profile: Profile?) -> PresenceView {
        let name = profile?.username ?? profile?.name ?? user.value
        let time = [profile?.lastSeen, seen.lastSeen(of: user)].compactMap { $0 }.max()
        return PresenceView(absent: RoomUser(userID: user, username: name), lastSeen: time)
    }
}
