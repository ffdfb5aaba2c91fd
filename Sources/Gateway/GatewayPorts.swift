public import ChatDomain

/// What an instance works with.
public struct GatewayPorts: Sendable {
    var store: any DurableStore
    var directory: any SessionDirectory
    /// Live traffic between instances; nil for an instance by itself.
    var bus: (any RoomBus)?
    /// The newest history outside the process.
    var cache: (any HistoryCache)?
    /// Where broken-off sessions are kept for those who come back; nil where none are.
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

/// Who is told of what happens on an instance. Called on any thread; may not block.
public struct GatewayObservers: Sendable {
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
