/// The newest messages of a room, contiguous, kept in memory so that joins and short resumes ask no database.
public struct MessageTail: Sendable {
    /// Messages kept at most.
    public static let capacity = 128
    /// Bytes kept at most; a room of long messages keeps fewer of them.
    public static let byteCapacity = 256 * 1024

    private var messages: [Message] = []
    private var bytes = 0

    public init() {}

    public var first: SequenceNumber? { messages.first?.sequence }
    public var last: SequenceNumber? { messages.last?.sequence }

    /// - Precondition: `message` follows the newest one kept.
    public mutating func append(_ message: Message) {
        precondition(messages.last.map { $0.sequence + 1 == message.sequence } ?? true)
        messages.append(message)
        bytes += message.body.approximateBytes
        trimIfLarge()
    }

    /// Puts older messages in front where they join on, as far as the tail's size allows.
    public mutating func prepend(_ older: [Message]) {
        let missing = first.map { first in older.filter { $0.sequence < first } } ?? older
        guard first == nil || missing.last?.sequence == first.map({ $0 - 1 }) else { return }
        messages.insert(contentsOf: missing, at: 0)
        bytes += missing.reduce(0) { $0 + $1.body.approximateBytes }
        trimIfLarge()
    }

    /// Messages numbered above `sequence`; nil when some of them are not kept.
    public func after(_ sequence: SequenceNumber, upTo last: SequenceNumber) -> ArraySlice<Message>? {
        if sequence >= last { return [] }
        guard let first, sequence + 1 >= first else { return nil }
        return messages[Int(sequence + 1 - first)...]
    }

    /// Trims in blocks: dropping one by one would move the rest for every message.
    private mutating func trimIfLarge() {
        guard messages.count >= 2 * Self.capacity || bytes > 2 * Self.byteCapacity else { return }
        var drop = max(0, messages.count - Self.capacity)
        var rest = bytes - messages.prefix(drop).reduce(0) { $0 + $1.body.approximateBytes }
        while rest > Self.byteCapacity, drop < messages.count - 1 {
            rest -= messages[drop].body.approximateBytes
            drop += 1
        }
        messages.removeFirst(drop)
        bytes = rest
    }
}
