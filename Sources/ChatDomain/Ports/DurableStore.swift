/// One database that keeps every store port, and its life cycle.
public protocol DurableStore:
    MessageStore, RoomStore, ModerationStore, AuditStore, ProfileStore, PrivacyStore, SearchIndex, Outbox, WebhookStore
{
    /// Whether other instances may write to the same database, so that a commit can lose races for a room's numbers.
    var isShared: Bool { get }

    /// Whether the database answers now. Cheap; asked by `/ready`.
    func probe() async throws(StoreError)

    /// Counts one more change that an instance could not announce to the others by any other way.
    func noteUnannouncedChange() async throws(StoreError)

    /// How many such changes instances of this deployment have made. An instance that finds another number than before has
    /// missed one.
    func unannouncedChanges() async throws(StoreError) -> Int64

    /// Finishes what is in flight and closes. No call may follow.
    func close() async
}

/// The options of every store, whatever the database.
public struct StoreOptions: Sendable {
    /// The owner under which new messages wait for their event to be published by the broker; nil when no events are wanted there.
    public var outboxOwner: InstanceID?
    /// Whether changes of messages wait for their event by the broker too.
    public var publishesChanges: Bool
    /// The owner under which new messages and changes wait for webhooks; nil when no receiver is configured.
    public var webhookOwner: InstanceID?
    /// Past this, joiners of an open room are not recorded.
    public var maximumParticipants: Int
    /// How long a store on other machines sends commands again that had no effect. Senders wait as long.
    public var retryTimeout: Duration

    public init(
        outboxOwner: InstanceID? = nil, publishesChanges: Bool = false, webhookOwner: InstanceID? = nil,
        maximumParticipants: Int = 5000,
        retryTimeout: Duration = RoomLimits().storeTimeout
    ) {
        self.outboxOwner = outboxOwner
        self.publishesChanges = publishesChanges
        self.webhookOwner = webhookOwner
        self.maximumParticipants = maximumParticipants
        self.retryTimeout = retryTimeout
    }

    /// The owner under which an entry waits for each destination.
    ///
    /// - Parameter change: the change that the entry is; nil for a message.
    package func eventOwners(of change: MessageChange.Kind?) -> [(destination: EventDestination, owner: InstanceID)] {
        var owners: [(destination: EventDestination, owner: InstanceID)] = []
        if let outboxOwner, change.map({ publishesChanges && $0.isPublishedByBroker }) ?? true {
            owners.append((.broker, outboxOwner))
        }
        if let webhookOwner { owners.append((.webhooks, webhookOwner)) }
        return owners
    }

    /// Whether any destination gets events.
    package var owesEvents: Bool { outboxOwner != nil || webhookOwner != nil }
}

extension MessageChange.Kind {
    fileprivate var isPublishedByBroker: Bool { if case .pinned = self { false } else { true } }
}
