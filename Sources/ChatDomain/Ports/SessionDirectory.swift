/// The live sessions of all instances and what they come to for each user.
///
/// Duties of every implementation:
/// - Calls about one session take effect in the order they were made. A session that is not known is passed over; one that
///   connects twice replaces itself; each takes out itself only.
/// - Each change goes to the handler of every instance, in the order it took effect for that user, and only when something
///   changed.
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

    /// How a user stands by the sessions of this instance, with what was asked of them and is still on its way to the
    /// others; nil for one without.
    func ownPresence(of user: UserID) -> UserPresence?
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
    /// The other instances that may be at work now; nil while that is not known.
    func others() async -> Set<InstanceID>?

    /// Ends the directory. Sessions in their grace period are left to the other instances, where there are any.
    func close() async
}

extension SessionDirectory {
    /// The connected sessions of a user on all instances, the oldest first.
    public func sessions(of user: UserID) async -> [SessionRecord] { await sessions(of: [user])[user] ?? [] }

    /// Which of these users have a connected session anywhere, hidden or not, and on which instances.
    public func instances(of users: [UserID]) async -> [UserID: Set<InstanceID>] {
        await sessions(of: users).mapValues { Set($0.map(\.instance)) }
    }
    /// For an instance by itself.
    public var contact: Contact { .always }
    public func others() async -> Set<InstanceID>? { [] }
}

public enum DirectoryEvent: Sendable {
    /// A user stands like this now, or was seen now. `origin` is the instance that made it so.
    case changed(UserPresence, origin: InstanceID)
    /// All users that are present, for certain; presence that was received before may be outdated.
    ///
    /// - Parameter isComplete: whether no other user is present.
    case everybody([UserPresence], isComplete: Bool)
    /// An instance is dead, and its sessions are out.
    case lost(InstanceID)
    /// The others took this instance for dead and put its users out; it is back.
    case lapsed
    case received(payload: [UInt8])
}
