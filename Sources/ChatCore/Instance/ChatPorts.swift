import ChatDomain

/// The servers an instance works with.
public struct ChatPorts: Sendable {
    var store: any DurableStore
    var directory: any SessionDirectory
    /// Live traffic between instances; nil for an instance by itself.
    var bus: (any RoomBus)?
    /// The newest history outside the process.
    var cache: (any HistoryCache)?
    /// Where broken-off sessions are kept for clients that come back; nil where none are.
    var recovery: (any RecoveryStore)?
    /// Where rooms' files are kept; nil where rooms have none.
    var files: (any FileStore)?
    /// Decides about each text before it is stored; nil where none does.
    var hook: (any MessageHook)?

    /// - Parameters:
    ///   - store: the durable store, of this instance or of the fleet.
    ///   - directory: the sessions of this instance and of others.
    ///   - bus: live traffic between instances; nil for an instance by itself.
    ///   - cache: the newest history outside the process; nil for none.
    ///   - recovery: keeps broken-off sessions; nil where none are kept.
    ///   - files: keeps rooms' files; nil where rooms have none.
    ///   - hook: decides about each text before it is stored; nil where none does.
    public init(
        store: any DurableStore, directory: any SessionDirectory, bus: (any RoomBus)? = nil,
        cache: (any HistoryCache)? = nil, recovery: (any RecoveryStore)? = nil,
        files: (any FileStore)? = nil, hook: (any MessageHook)? = nil
    ) {
        self.store = store
        self.directory = directory
        self.bus = bus
        self.cache = cache
        self.recovery = recovery
        self.files = files
        self.hook = hook
    }
}

/// Callbacks for events of an instance. They run on any thread and must not block.
public struct ChatObservers: Sendable {
    /// After each write of messages: the hint that events may be pending.
    public var storedMessages: (@Sendable () -> Void)?
    /// An instance was found dead, and its sessions are gone.
    public var instanceLost: (@Sendable (InstanceID) -> Void)?
    /// The trace (`traceparent`) a message belongs to, before it is stored.
    public var noteTrace: (@Sendable (String, MessageID) -> Void)?
    /// Follows messages for a tracing system; nil where there is none.
    public var tracer: (any MessageTracer)?
    /// A change of a user's visible presence, in order for each user, and whether this instance made it.
    public var presenceChanged: (@Sendable (PresenceEdge, _ isOwn: Bool) -> Void)?

    /// What happened to rooms, on the instance where it did.
    public var roomChanged: (@Sendable (RoomOccurrence) -> Void)?
    /// Dead letters of webhooks are to be attempted again; nil where no receiver is configured.
    public var replayedWebhooks: (@Sendable (_ count: Int) -> Void)?

    /// No observers.
    public init() {}
}
