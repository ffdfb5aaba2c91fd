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

    public init(
        store: any DurableStore, directory: any SessionDirectory, bus: (any RoomBus)? = nil,
        cache: (any HistoryCache)? = nil, recovery: (any RecoveryStore)? = nil
    ) {
        self.store = store
        self.directory = directory
        self.bus = bus
        self.cache = cache
        self.recovery = recovery
    }
}

/// What is called when something happens on an instance; on any thread, and it may not block.
public struct ChatObservers: Sendable {
    /// After each write of messages: the hint that events may be pending.
    public var storedMessages: (@Sendable () -> Void)?
    /// An instance was found dead, and its sessions are gone.
    public var instanceLost: (@Sendable (InstanceID) -> Void)?
    /// The trace (`traceparent`) a message belongs to, before it is stored.
    public var noteTrace: (@Sendable (String, MessageID) -> Void)?
    /// What others see change about a user, in order, and whether this instance made it so.
    public var presenceChanged: (@Sendable (PresenceEdge, _ isOwn: Bool) -> Void)?

    public init() {}
}
