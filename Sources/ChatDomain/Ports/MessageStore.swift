/// The durable truth about messages, participants and read marks. Kept by SQLite and by MongoDB; one contract suite runs over both.
///
/// Duties of every implementation:
/// - **Numbering is storing.** A message gets its number in the step that makes it durable; a room's numbers have no holes.
/// - **Idempotency by unique index** over (room, author, client message id), never by a cache with a time limit. Repeats inside
///   one write resolve like repeats against the store.
/// - **An outcome is certain.** `commit` completes once per call and only when it is known what was stored. While an attempt's
///   outcome is unknown the implementation keeps settling it; the caller has its own deadline for its senders.
/// - What a write brings takes effect in this order: participants, read marks, drafts in their order.
/// - Sending is reading: a stored message moves its author's read mark to it, at the latest a moment afterwards.
/// - Nothing here blocks the caller's thread; completions come on a thread of the store's own.
public protocol MessageStore: Sendable {
    /// Stores what rooms gathered, many rooms in one go. At most one write of a room may be in flight.
    ///
    /// The outcomes come in the order of `writes`.
    func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void)

    /// - Throws: `.unavailable` when the store cannot be read now.
    func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage

    /// The newest number of each room that has messages; rooms without are absent.
    func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber]
}
