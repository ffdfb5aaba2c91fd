/// Finds messages by their words. Kept by SQLite and by MongoDB; one contract suite runs over both.
///
/// Duties of every implementation:
/// - An acknowledged message is found at once, and so is the newest text of an edited one; the text before the edit is not.
/// - A deleted message is not found, and the index holds no word of it once the deletion is acknowledged.
/// - Without a room, the rooms looked through are those that the reader takes part in, and all open groups that the reader is not
///   banned from. Messages of an
///   earlier room of the same id are not found.
/// - Results are ordered by time, the newest first; pages behind each other hold each message once.
/// - A search costs a bounded amount of work, whatever it looks for.
public protocol SearchIndex: Sendable {
    /// - Throws: `.rejected` for a cursor of another store; `.unavailable` when the store cannot be read now.
    func search(_ search: MessageSearch) async throws(StoreError) -> SearchPage
}
