/// The consumers of events. Each has its own mark on a stored entry, so that none of them waits for another.
public enum EventDestination: Hashable, Sendable, CaseIterable {
    /// The message broker.
    case broker
    /// All webhook receivers together: `WebhookStore` keeps what is owed to each of them.
    case webhooks
}

/// The message is its own outbox: it is stored with its event pending under the instance that stored it, once for each destination,
/// and cleared for a destination once that has taken the event. Only stores opened with an owner for the destination mark messages.
public protocol Outbox: Sendable {
    /// Pending messages and changes of `owner`, oldest first, skipping ids in `except` (those already on their way). For the broker,
    /// changes are pending only in stores opened to publish them.
    func pendingEvents(
        of owner: InstanceID, to destination: EventDestination, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [RoomLogEntry]

    /// Marks events as taken by the destination. Idempotent.
    func clearEvents(_ ids: [MessageID], to destination: EventDestination) async throws(StoreError)

    /// Takes over everything pending under an instance whose lease is dead; the number taken.
    func adoptEvents(
        of dead: InstanceID, to destination: EventDestination, by owner: InstanceID
    ) async throws(StoreError) -> Int

    /// Instances that have events pending.
    func eventOwners(to destination: EventDestination) async throws(StoreError) -> [InstanceID]

    /// How many events wait, and since when the oldest does.
    func backlog(to destination: EventDestination) async throws(StoreError) -> (count: Int, oldest: Timestamp?)
}
