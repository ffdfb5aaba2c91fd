/// The live sessions of all instances and what they come to for each user.
///
/// Duties of every implementation:
/// - Calls about one session take effect in the order they were made. A session that is not known is passed over; one that
///   connects twice replaces itself; each takes out itself only.
/// - The presence of a user with a session here, and of a followed user, is delivered once, then each change, in the order it
///   took effect for that user. A change that was delivered before is not delivered as a change again. Of other users only their
///   number is kept.
/// - Nothing here blocks the caller. What cannot be sent elsewhere now is sent later; sessions of this instance are
///   known at once, whatever is down.
public protocol SessionDirectory: Sendable {
    /// Begins. Called once, before anything else; `handler` is called one event at a time, and must not call back.
    func start(_ handler: @escaping @Sendable (DirectoryEvent) -> Void)

    /// Adds a session. `completion` gets those of the user's sessions that must give way, on any instance, the oldest first.
    func connect(_ record: SessionRecord, completion: @escaping @Sendable ([SessionRecord]) -> Void)
    func update(_ session: SessionID, of user: UserID, _ update: SessionUpdate, at now: Timestamp)
    /// Takes a session out for good, after its grace period.
    func remove(_ session: SessionID, of user: UserID, at now: Timestamp)
    /// As `remove` for each of them, together.
    func remove(_ sessions: [(id: SessionID, user: UserID)], at now: Timestamp)
    /// Has other instances be told of the sessions that disconnected, which may have waited for each other until now.
    func sendDepartures()

    // MARK: Following

    /// Follows users until `unfollow` was called as often for each.
    func follow(_ users: [UserID])
    func unfollow(_ users: [UserID])
    /// Follows all users until `unfollowEverybody` was called as often. An instance then keeps all users that are present.
    func followEverybody()
    func unfollowEverybody()
    /// Calls `completion` once the presence of these users, which are followed or have a session here, was delivered or cannot be
    /// read: on any thread, maybe before this returns. It must not block.
    func load(_ users: [UserID], completion: @escaping @Sendable () -> Void)

    // MARK: Reading

    /// How a user stands by the sessions of this instance, with what was asked of them and is still on its way to the
    /// others; nil for one without.
    func ownPresence(of user: UserID) -> UserPresence?
    /// Whether there are no other instances, so that all users are those with sessions here.
    var isAlone: Bool { get }
    /// Something came from a user here. Called where `isAlone`; a hidden user leaves no trace of it.
    func see(_ user: UserID, at now: Timestamp)
    /// How users stand, followed or not; a user without a session is left out.
    func presence(of users: [UserID]) async -> [UserID: UserPresence]
    /// The users after `cursor` that others see online, ordered by id; at most `limit`.
    func online(after cursor: UserID?, limit: Int) async -> OnlineSlice
    /// How many users others see online.
    func onlineCount() async -> Int
    /// The connected sessions of users on all instances, the oldest first; a user without one is left out.
    func sessions(of users: [UserID]) async -> [UserID: [SessionRecord]]
    /// Whether an instance may still be at work; false only when it is certainly dead.
    func isAlive(_ instance: InstanceID) async -> Bool
    /// How many other instances hold a lease, as far as is known; 0 while nothing is known.
    var otherInstances: Int { get }
    /// Friends that other services recorded beside the store; a user without any is left out. nil while they cannot be read.
    func sharedFriends(of users: [UserID]) async -> [UserID: Set<UserID>]?

    /// A user's first session in a room here came, or the last went.
    func setPresent(_ user: UserID, in room: RoomID, _ isPresent: Bool)

    /// Brings a payload, opaque here, to another instance, or to all others when `instance` is nil. May be lost.
    func send(_ payload: [UInt8], to instance: InstanceID?)

    /// Whether what others `send` to all comes here.
    var contact: Contact { get }
    /// News may have been missed up to `moment`: what was read from the store before it no longer holds.
    func restartContact(at moment: Moment)
    /// The other instances that may be at work now; nil while that is not known.
    func others() async -> Set<InstanceID>?

    /// Removes what is kept of a user without sessions beside them, also what other services recorded of the user.
    func eraseTraces(of user: UserID) async throws(StoreError)

    /// Ends the directory. Sessions in their grace period are left to the other instances, where there are any.
    func close() async
}

extension SessionDirectory {
    /// Returns once the presence of these users was delivered or cannot be read.
    public func load(_ users: [UserID]) async {
        await withCheckedContinuation { continuation in load(users) { continuation.resume() } }
    }

    /// The connected sessions of a user on all instances, the oldest first.
    public func sessions(of user: UserID) async -> [SessionRecord] { await sessions(of: [user])[user] ?? [] }

    /// Which of these users have a connected session anywhere, hidden or not, and on which instances.
    public func instances(of users: [UserID]) async -> [UserID: Set<InstanceID>] {
        await sessions(of: users).mapValues { Set($0.map(\.instance)) }
    }
    public func remove(_ sessions: [(id: SessionID, user: UserID)], at now: Timestamp) {
        for session in sessions { remove(session.id, of: session.user, at: now) }
    }
    /// For a directory that makes none wait.
    public func sendDepartures() {}
    /// For a directory of several instances.
    public var isAlone: Bool { false }
    public func see(_ user: UserID, at now: Timestamp) {}
    /// For an instance by itself.
    public var contact: Contact { .always }
    public func restartContact(at moment: Moment) {}
    public func others() async -> Set<InstanceID>? { [] }
    /// For a directory that keeps nothing beside sessions.
    public func eraseTraces(of user: UserID) async throws(StoreError) {}
}

public enum DirectoryEvent: Sendable {
    /// A user that is kept here changed.
    ///
    /// - Parameter isFirst: whether nothing was delivered of the user before.
    case changed(PresenceNews, isFirst: Bool)
    /// News of a user that is not kept here, or news that is older than what was delivered.
    case passed(PresenceNews)
    /// How users stand that begin to be kept. A user without a session is offline.
    case learned([UserPresence])
    /// How users stand that are kept: a difference is a change that was missed. A user without a session is offline.
    case compared([UserPresence])
    /// Users that are not kept any more.
    case forgotten([UserID])
    /// How many users others see online on all instances; comes when it changed, or now and then.
    case counted(online: Int)
    /// An instance is dead, and its sessions are out.
    case lost(InstanceID)
    /// The others took this instance for dead and put its users out; it is back.
    case lapsed
    case received(payload: [UInt8])
}

/// That a user stands like this now, or was seen now.
public struct PresenceNews: Hashable, Sendable {
    public var presence: UserPresence
    /// The user's own status before, where the announcement has it.
    public var before: PresenceStatus?
    /// The instance that made it so.
    public var origin: InstanceID

    public init(_ presence: UserPresence, before: PresenceStatus?, origin: InstanceID) {
        self.presence = presence
        self.before = before
        self.origin = origin
    }
}
