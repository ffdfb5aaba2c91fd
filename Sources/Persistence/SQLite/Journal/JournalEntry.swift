import ChatDomain

/// A message in the journal that is not in the table of messages yet.
struct JournalEntry: Hashable {
    /// Its row in the journal.
    var position: Int64
    /// Its row in the table of messages: the room's key above the number.
    var key: Int64
    var author: UserID

    var room: Int64 { key >> Schema.sequenceBits }
    var sequence: SequenceNumber { Schema.sequence(ofKey: key) }
}
