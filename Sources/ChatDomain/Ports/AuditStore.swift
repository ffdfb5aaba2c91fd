/// The durable trail of acts of management. See `MessageStore` for the duties common to all store ports.
///
/// `ModerationStore.eraseModeration` takes a user's id out of the entries that name it; the entries stay.
public protocol AuditStore: Sendable {
    /// Stores an entry. An entry with an id that is there already changes nothing, so that a caller may repeat it.
    func record(_ entry: AuditEntry) async throws(StoreError)

    /// A page, the newest entry first. An entry that cannot be read is left out.
    func auditEntries(_ query: AuditQuery) async throws(StoreError) -> [AuditEntry]

    /// Removes the entries that are older than `time`, and of the others all but the newest `count`.
    func trimAudit(before time: Timestamp, keeping count: Int) async throws(StoreError)
}
