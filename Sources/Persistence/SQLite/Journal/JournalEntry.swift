import ChatDomain

/// A message in the journal that is not in the table of messages yet.
struct JournalEntry: Hashable {
    /// Its row in the journal.
    var position: Int64
    /// The room's key.
    var room: Int64
    var sequence: SequenceNumber
    var author: UserID
    /// The approximate weight of its body, in bytes.
    var bytes: Int
    /// Whether its text or its author may have changed since it came.
    var hasChangedText = false
}
