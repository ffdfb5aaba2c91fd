/// One database that keeps every store port, and its life cycle.
public protocol DurableStore: MessageStore, RoomStore, ModerationStore, ProfileStore, PrivacyStore, SearchIndex, Outbox
{
    /// Whether other instances may write to the same database, so that a commit can lose races for a room's numbers.
    var isShared: Bool { get }

    /// Whether the database answers now. Cheap; asked by `/ready`.
    func probe() async throws(StoreError)

    /// Finishes what is in flight and closes. No call may follow.
    func close() async
}

/// The options of every store, whatever the database.
public struct StoreOptions: Sendable {
    /// The owner under which new messages wait for their event to be published; nil when no events are wanted.
    public var outboxOwner: InstanceID?
    /// Whether changes of messages wait for their event too.
    public var publishesChanges: Bool
    /// Past this, joiners of an open room are not recorded.
    public var maximumParticipants: Int
    /// How long a store on other machines sends commands again that had no effect. Senders wait as long.
    public var retryTimeout: Duration

    public init(
        outboxOwner: InstanceID? = nil, publishesChanges: Bool = false, maximumParticipants: Int = 5000,
        retryTimeout: Duration = RoomLimits().storeTimeout
    ) {
        self.outboxOwner = outboxOwner
        self.publishesChanges = publishesChanges
        self.maximumParticipants = maximumParticipants
        self.retryTimeout = retryTimeout
    }
}
