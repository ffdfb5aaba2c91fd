import ChatDomain

/// Messages in the journal, and what commits ask about them.
struct JournalPart {
    struct Author: Hashable {
        var room: Int64
        var user: UserID
    }

    /// Compared byte by byte, as the database compares.
    struct ClientMessageID: ClientIdentifier {
        let value: String
        init(unchecked value: String) { self.value = value }
    }

    struct ClientKey: Hashable {
        var room: Int64
        var user: UserID
        var id: ClientMessageID
    }

    private(set) var entries: [JournalEntry] = []
    /// Those that are durable, as they were when they were stored; an array for each transaction, shared with readers.
    private var messages: [[Message]] = []
    private(set) var byClientID: [ClientKey: Message] = [:]
    private(set) var amount = Journal.Amount()

    /// Made of the entries before `noted`, when they are asked for: most transactions ask for neither.
    private var newest: [Int64: SequenceNumber] = [:]
    private var authors: [Author: SequenceNumber] = [:]
    private var noted = 0

    var isEmpty: Bool { entries.isEmpty }

    // MARK: What is in it

    mutating func newest(in room: Int64) -> SequenceNumber? {
        note()
        return newest[room]
    }

    /// The author's newest number.
    mutating func readMark(of author: Author) -> SequenceNumber? {
        note()
        return authors[author]
    }

    private mutating func note() {
        for entry in entries[noted...] {
            newest[entry.room] = entry.sequence
            authors[Author(room: entry.room, user: entry.author)] = entry.sequence
        }
        noted = entries.count
    }

    mutating func position(of sequence: SequenceNumber, in room: Int64) -> Int64? {
        index(of: sequence, in: room).map { entries[$0].position }
    }

    private mutating func index(of sequence: SequenceNumber, in room: Int64) -> Int? {
        guard newest(in: room) ?? 0 >= sequence else { return nil }
        return entries.lastIndex { $0.sequence == sequence && $0.room == room }
    }

    /// The texts of all messages in the order in which they came.
    ///
    /// - Parameter documents: their positions in the search index.
    func texts(at documents: DocumentsOfRows) -> [MovedText] {
        var texts: [MovedText] = []
        texts.reserveCapacity(entries.count)
        // By index, because each message that an iterator returns is a copy with all it holds.
        for batch in messages.indices {
            for place in messages[batch].indices {
                let entry = entries[texts.count]
                texts.append(
                    MovedText(
                        position: documents.document(ofRow: entry.position), room: entry.room, author: entry.author,
                        text: entry.hasChangedText ? nil : messages[batch][place].body.text))
            }
        }
        return texts
    }

    // MARK: Changing it

    mutating func append(_ message: Message, at entry: JournalEntry) {
        entries.append(entry)
        if let id = message.body.clientMessageID {
            byClientID[ClientKey(room: entry.room, user: entry.author, id: .init(unchecked: id))] = message
        }
        amount = amount + Journal.Amount(messages: 1, bytes: entry.bytes)
    }

    /// Replaces what is kept of a message to recognise its repeats.
    mutating func update(_ message: Message, in room: Int64) {
        guard let id = message.body.clientMessageID else { return }
        let key = ClientKey(room: room, user: message.body.author, id: .init(unchecked: id))
        if byClientID[key]?.id == message.id { byClientID[key] = message }
    }

    mutating func noteChangedText(of sequence: SequenceNumber, in room: Int64) {
        if let index = index(of: sequence, in: room) { entries[index].hasChangedText = true }
    }

    /// Adds the messages of a transaction.
    mutating func append(_ newer: JournalPart, _ messages: [Message]) {
        entries += newer.entries
        self.messages.append(messages)
        byClientID.merge(newer.byClientID) { $1 }
        amount = amount + newer.amount
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        byClientID.removeAll(keepingCapacity: true)
        amount = Journal.Amount()
        newest.removeAll(keepingCapacity: true)
        authors.removeAll(keepingCapacity: true)
        noted = 0
    }
}
