/// The newest part of a room's log, kept in memory so that joins and short resumes ask no database: messages as they are now,
/// and the changes that came last.
///
/// Messages are complete from one floor on and changes from another, as many changes may come to few messages. A number above
/// both floors that is missing here is missing in the store too, as after an operator has erased messages.
struct MessageTail: Sendable {
    /// Messages kept at most, and changes.
    static let capacity = 128
    /// Bytes of messages kept at most, and of changes; a room of long messages keeps fewer of them.
    static let byteCapacity = 256 * 1024

    /// In the order of their numbers, with every change applied that came.
    private(set) var messages: [Message] = []
    private var bytes = 0
    /// Every message numbered above this is kept.
    private(set) var floor: SequenceNumber
    /// In the order of their numbers.
    private(set) var changes: [MessageChange] = []
    private var changeBytes = 0
    /// Every change numbered above this is kept.
    private(set) var changesFloor: SequenceNumber
    /// Messages that changed after this number are kept, or their changes are.
    private(set) var resumeFloor: SequenceNumber

    /// - Parameter last: the newest number there is; what comes after it is kept.
    init(after last: SequenceNumber) {
        floor = last
        changesFloor = last
        resumeFloor = last
    }

    // MARK: Taking

    /// Takes the next entry there is; one that is no newer than those kept is passed over.
    mutating func append(_ entry: RoomLogEntry) {
        switch entry {
        case .message(let message):
            guard message.sequence > messages.last?.sequence ?? floor else { return }
            if message.body.replyTo != nil { noteReply(message) }
            messages.append(message)
            bytes += message.body.approximateBytes
            trimMessages()
        case .change(let change):
            guard change.sequence > changes.last?.sequence ?? changesFloor else { return }
            if let index = index(of: change.messageSequence) { update(index) { $0.apply(change) } }
            if case .deleted = change.kind { eraseEdits(of: change.messageID) }
            changes.append(change)
            changeBytes += change.approximateBytes
            trimChanges()
        }
    }

    private mutating func noteReply(_ reply: Message) {
        guard let target = reply.body.replyTo.flatMap({ MessageID($0) }),
            let index = messages.lastIndex(where: { $0.id == target })
        else { return }
        messages[index].noteReply(reply.sequence)
    }

    private mutating func update(_ index: Int, _ body: (inout Message) -> Void) {
        bytes -= messages[index].body.approximateBytes
        body(&messages[index])
        bytes += messages[index].body.approximateBytes
    }

    /// Takes the text out of the edits of a message that is deleted.
    private mutating func eraseEdits(of message: MessageID) {
        for index in changes.indices where changes[index].messageID == message {
            guard case .edited = changes[index].kind else { continue }
            changeBytes -= changes[index].approximateBytes
            changes[index].kind = .deleted
            changeBytes += changes[index].approximateBytes
        }
    }

    /// Puts older messages in front where they join on, as far as the tail's size allows.
    ///
    /// - Parameters:
    ///   - older: in the order of their numbers, as they are now; all that exist above `start` up to `end`.
    ///   - isUnchangedBefore: whether no message up to `start` changed after it.
    mutating func prepend(
        _ older: [Message], after start: SequenceNumber, upTo end: SequenceNumber, isUnchangedBefore: Bool = false
    ) {
        guard start < floor, floor <= end else { return }
        let missing = older.filter { $0.sequence > start && $0.sequence <= floor }
        messages.insert(contentsOf: missing, at: 0)
        bytes += missing.reduce(0) { $0 + $1.body.approximateBytes }
        floor = start
        if isUnchangedBefore { resumeFloor = min(resumeFloor, start) }
        trimMessages()
    }

    // MARK: Showing

    /// The id of the entry with this number, where it is kept.
    func id(of sequence: SequenceNumber) -> MessageID? {
        if let index = index(of: sequence) { return messages[index].id }
        return changes.last { $0.sequence == sequence }?.id
    }

    /// The message of this number, where it is kept.
    func message(_ sequence: SequenceNumber) -> Message? { index(of: sequence).map { messages[$0] } }

    /// Messages up to `sequence` that changed after it, in the order of their last changes; nil where some are not kept.
    func changed(after sequence: SequenceNumber) -> [Message]? {
        guard sequence >= max(floor, resumeFloor),
            !changes.contains(where: { $0.sequence > sequence && $0.messageSequence <= floor })
        else { return nil }
        return messages[..<firstIndex(above: sequence)].filter { $0.changeSequence > sequence }
            .sorted { $0.changeSequence < $1.changeSequence }
    }

    /// The kept messages numbered above `sequence`.
    func messages(after sequence: SequenceNumber) -> ArraySlice<Message> { messages[firstIndex(above: sequence)...] }

    /// Applies to messages that were read what came since; what they have already changes nothing.
    ///
    /// - Parameter sequence: they hold everything up to this number. Both floors are at or below it.
    func bringUpToDate(_ read: [Message], from sequence: SequenceNumber) -> [Message] {
        let later = changes.drop { $0.sequence <= sequence }
        let replies = messages(after: sequence).filter { $0.body.replyTo != nil }
        guard !later.isEmpty || !replies.isEmpty, !read.isEmpty else { return read }
        var read = read
        var indices: [MessageID: Int] = [:]
        for (index, message) in read.enumerated() { indices[message.id] = index }
        for change in later {
            if let index = indices[change.messageID] { read[index].apply(change) }
        }
        for reply in replies {
            let target = reply.body.replyTo.flatMap { MessageID($0) }
            if let index = target.flatMap({ indices[$0] }) { read[index].noteReply(reply.sequence) }
        }
        return read
    }

    private func index(of sequence: SequenceNumber) -> Int? {
        guard let first = messages.first?.sequence, first <= sequence else { return nil }
        let index = firstIndex(above: sequence - 1)
        return messages.indices.contains(index) && messages[index].sequence == sequence ? index : nil
    }

    private func firstIndex(above sequence: SequenceNumber) -> Int {
        messages.firstIndex(notBefore: { $0.sequence <= sequence })
    }

    // MARK: Its size

    /// Trims in blocks: dropping one by one would move the rest for every message.
    private mutating func trimMessages() {
        guard let drop = Self.excess(of: messages, bytes, weight: \.body.approximateBytes) else { return }
        floor = messages[drop - 1].sequence
        resumeFloor = messages[..<drop].reduce(resumeFloor) { max($0, $1.changeSequence) }
        bytes -= messages[..<drop].reduce(0) { $0 + $1.body.approximateBytes }
        messages.removeFirst(drop)
    }

    private mutating func trimChanges() {
        guard let drop = Self.excess(of: changes, changeBytes, weight: \.approximateBytes) else { return }
        changesFloor = changes[drop - 1].sequence
        resumeFloor = max(resumeFloor, changesFloor)
        changeBytes -= changes[..<drop].reduce(0) { $0 + $1.approximateBytes }
        changes.removeFirst(drop)
    }

    /// How many of the oldest are too many; nil for none.
    private static func excess<Kept>(of kept: [Kept], _ bytes: Int, weight: (Kept) -> Int) -> Int? {
        guard kept.count >= 2 * capacity || bytes > 2 * byteCapacity else { return nil }
        var drop = max(0, kept.count - capacity)
        var rest = bytes - kept[..<drop].reduce(0) { $0 + weight($1) }
        while rest > byteCapacity, drop < kept.count - 1 {
            rest -= weight(kept[drop])
            drop += 1
        }
        return drop > 0 ? drop : nil
    }
}
