/// The message is its own outbox: it is stored with its event pending under the instance that stored it, and cleared once
/// the broker has confirmed the event. Only stores opened with an outbox owner mark messages.
public protocol Outbox: Sendable {
    /// Pending messages and changes of `owner`, oldest first, skipping ids in `except` (those already on their way). Changes are
    /// pending only in stores opened to publish them.
    func pendingEvents(
        of owner: InstanceID, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [RoomLogEntry]

    /// Marks events as published. Idempotent.
    func clearEvents(_ ids: [MessageID]) async throws(StoreError)

    /// Takes over everything pending under an instance whose lease is dead; the number taken.
    func adoptEvents(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int

    /// Instances that have events pending.
    func eventOwners() async throws(StoreError) -> [InstanceID]

    /// How many events wait, and since when the oldest does.
    func backlog() async throws(StoreError) -> (count: Int, oldest: Timestamp?)
}
