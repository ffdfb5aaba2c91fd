/// The durable truth about messages, their changes, participants and read marks. Kept by SQLite and by MongoDB; one contract
/// suite runs over both.
///
/// Duties of every implementation:
/// - **Numbering is storing.** A message or a change gets its number in the step that makes it durable; a room's numbers have
///   no holes.
/// - **A change is evaluated in the step that numbers it**, by `ChangeDraft.evaluate` against the message as it is then. Every
///   read after the answer shows the message so.
/// - A message whose `replyTo` names no message of its room is refused with `bad_request`, and takes no number.
/// - **Deletion is real**: when `commit` completes, the text, metadata, mentions and reactions of a deleted message are in no
///   table, list, index or pending event, and no read shows them. `message.sent` and changes of it that were not published yet
///   are not published any more, except its deletion.
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

    /// The newest number, of a message or a change, of each room that has messages; rooms without are absent.
    func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber]

    /// The message as it is now; nil where the room has none of this id above `base`.
    ///
    /// - Parameter base: messages at or below this are unreachable (`Room.historyBase`).
    func message(
        _ id: MessageID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message?

    /// The message that the author sent under this client id, as it is now; nil where the room has none above `base`.
    ///
    /// - Parameter base: see `message(_:in:above:)`.
    func message(
        sentAs clientMessageID: String, by author: UserID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message?

    /// Messages whose last change is numbered above `query.after`, as they are now, in the order of those changes.
    func changedMessages(of room: RoomID, _ query: ChangesQuery) async throws(StoreError) -> ChangesPage

    /// Messages that answer this one, by number; the cursor and the limit are the query's. `.around` is not asked for.
    func replies(
        to id: MessageID, in room: RoomID, _ query: HistoryQuery
    ) async throws(StoreError) -> HistoryPage

    /// The room's log above a number: messages as they are now, and changes. An edit is read with the text that the message has
    /// now, and as a deletion once the message is deleted.
    func log(
        of room: RoomID, after sequence: SequenceNumber, limit: Int
    ) async throws(StoreError) -> RoomLogPage
}
