/// The users in a room, on this instance and on others, and those of them that others are not to know of.
///
/// Hidden users take part. No list, count or announcement has them, and no news of them goes to other instances.
struct RoomAttendance: Sendable {
    /// The receivers of a change.
    enum Change {
        /// The members on this instance.
        case announce(RoomAnnouncement)
        /// Other instances.
        case share(RoomNews)
    }

    /// How long instances have to say which users they have after contact was lost.
    static let rosterTimeout: Duration = .seconds(3)

    private(set) var members = RoomMembers()
    private var hidden: Set<UserID> = []
    /// The users on other instances.
    private var remote = RemoteRoster()
    /// Users that are both here and on another instance.
    private var overlap = 0
    /// When instances that have not spoken since contact was lost are given up.
    private var doubtDue: Moment?

    /// Users others see present on any instance, each once.
    var online: Int { members.count - hidden.count + remote.count - overlap }

    func isHidden(_ user: UserID) -> Bool { hidden.contains(user) }

    /// The user, if others may see that the user is present.
    func shown(_ user: UserID) -> RoomUser? {
        hidden.contains(user) ? nil : members.user(user) ?? remote.user(user)
    }

    /// Users that the viewer sees present, each once.
    func online(_ visible: VisibleUsers) -> Int {
        if let only = visible.only { return only.count { visible.contains($0) && shown($0) != nil } }
        return online - visible.except.count { shown($0) != nil }
    }

    /// Some of the users that the viewer sees present.
    func list(limit: Int, _ visible: VisibleUsers) -> [RoomUser] {
        if let only = visible.only {
            return Array(only.lazy.filter(visible.contains).compactMap { shown($0) }.prefix(limit))
        }
        guard !visible.except.isEmpty else { return list(limit: limit) }
        return Array(
            list(limit: limit + visible.except.count).lazy.filter { visible.contains($0.userID) }.prefix(limit))
    }

    /// Some of the users others see present.
    private func list(limit: Int) -> [RoomUser] {
        let here = members.list(limit: limit, except: hidden)
        guard !remote.isEmpty, here.count < limit else { return here }
        return here + remote.list(limit: limit - here.count) { !members.contains($0) }
    }

    /// The users here that other instances may know.
    var localRoster: [RoomUser] { members.list(limit: .max, except: hidden) }

    // MARK: Coming and going here

    /// Lets a session in; nil where its user was here before.
    mutating func join(_ user: RoomUser, session: SessionAddress, isHidden: Bool) -> [Change]? {
        guard case .firstSession = members.join(user, session: session) else { return nil }
        if isHidden { hidden.insert(user.userID) }
        return arrived(user)
    }

    /// A user's first session here: news to those here unless the user was on another instance, and to the others always.
    /// A user hidden here is out of sight also while another instance does not know it yet.
    private mutating func arrived(_ user: RoomUser) -> [Change] {
        let isElsewhere = remote.contains(user.userID)
        if isElsewhere { overlap += 1 }
        if hidden.contains(user.userID) { return isElsewhere ? [.announce(.left(user))] : [] }
        return (isElsewhere ? [] : [.announce(.joined(user))]) + [.share(.joined(user))]
    }

    private mutating func departed(_ user: RoomUser) -> [Change] {
        let isElsewhere = remote.contains(user.userID)
        if isElsewhere { overlap -= 1 }
        if hidden.remove(user.userID) != nil { return isElsewhere ? [.announce(.joined(user))] : [] }
        return (isElsewhere ? [] : [.announce(.left(user))]) + [.share(.left(user.userID))]
    }

    enum Left {
        /// The session was not here, or its user has others.
        case userRemains
        /// The user still counts as present for a while.
        case inGrace(RoomUser)
        case gone(RoomUser, [Change])
    }

    /// - Parameter grace: until when a user without sessions still counts; nil ends it at once.
    mutating func leave(_ session: SessionAddress, grace: Moment?) -> Left {
        let user = members.user(of: session)
        switch members.leave(session, grace: grace) {
        case .notHere, .sessionsRemain: return .userRemains
        case .inGrace: return user.map { .inGrace($0) } ?? .userRemains
        case .gone(let user): return .gone(user, departed(user))
        }
    }

    /// Removes a user with all sessions; nil for one that is not here.
    mutating func remove(_ user: UserID) -> (user: RoomUser, sessions: Set<SessionAddress>, changes: [Change])? {
        guard let present = members.user(user) else { return nil }
        let sessions = members.remove(user)
        return (present, sessions, departed(present))
    }

    /// Hides a user of this instance from the others, or shows the user again; nil where nothing changed.
    mutating func setHidden(_ user: UserID, _ isHidden: Bool) -> (user: RoomUser, changes: [Change])? {
        guard let present = members.user(user), hidden.contains(user) != isHidden else { return nil }
        guard isHidden else {
            hidden.remove(user)
            return (present, [.announce(.joined(present)), .share(.joined(present))])
        }
        hidden.insert(user)
        return (present, [.announce(.left(present)), .share(.left(user))])
    }

    // MARK: Other instances

    mutating func add(_ user: RoomUser, of instance: InstanceID) -> [Change] {
        remote.add(user, of: instance) ? changed(joined: [user]) : []
    }

    mutating func remove(_ user: UserID, of instance: InstanceID) -> [Change] {
        remote.remove(user, of: instance).map { changed(left: [$0]) } ?? []
    }

    /// An instance said which users it has, all of them.
    mutating func replace(_ users: [RoomUser], of instance: InstanceID) -> [Change] {
        let (gone, new) = remote.replace(users, of: instance)
        return changed(joined: new, left: gone)
    }

    /// An instance is dead.
    mutating func drop(_ instance: InstanceID) -> [Change] { changed(left: remote.drop(instance)) }

    /// An instance said what its users come to; whether that is known here.
    mutating func agrees(_ digest: RosterDigest, of instance: InstanceID) -> Bool {
        remote.spoke(instance)
        return remote.digest(of: instance) == digest
    }

    /// Another round of comparing digests begins; instances that were silent for too long are given up.
    mutating func endRound() -> [Change] { changed(left: remote.endRound()) }

    /// Contact was lost and is there again: instances that do not speak within a while are given up.
    mutating func doubtOthers(at now: Moment) {
        guard !remote.isEmpty else { return }
        remote.doubtEverybody()
        doubtDue = now + Self.rosterTimeout
    }

    /// Users that came to or went from all other instances: those not here as well are news to those here.
    private mutating func changed(joined: [RoomUser] = [], left: [RoomUser] = []) -> [Change] {
        var changes: [Change] = []
        for user in joined {
            if members.contains(user.userID) { overlap += 1 } else { changes.append(.announce(.joined(user))) }
        }
        for user in left {
            if members.contains(user.userID) { overlap -= 1 } else { changes.append(.announce(.left(user))) }
        }
        return changes
    }

    // MARK: Time

    /// When `depart` or `dropDoubtful` has something to do.
    var deadline: Moment? { members.nextDeparture.orEarlier(doubtDue) }

    /// Removes users whose grace period is over.
    mutating func depart(at now: Moment) -> [(user: RoomUser, changes: [Change])] {
        members.depart(at: now).map { ($0, departed($0)) }
    }

    mutating func dropDoubtful(at now: Moment) -> [Change] {
        guard let due = doubtDue, due <= now else { return [] }
        doubtDue = nil
        return changed(left: remote.dropDoubtful())
    }
}
