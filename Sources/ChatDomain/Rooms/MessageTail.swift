/// The newest messages of a room, kept in memory so that joins and short resumes ask no database.
///
/// It is complete from its floor on: a number above the floor that is missing here is missing in the store too, as after
/// an operator has erased messages.
public struct MessageTail: Sendable {
    /// Messages kept at most.
    public static let capacity = 128
    /// Bytes kept at most; a room of long messages keeps fewer of them.
    public static let byteCapacity = 256 * 1024

    /// In the order of their numbers.
    private var messages: [Message] = []
    private var bytes = 0
    /// Everything numbered above this is kept.
    private var floor: SequenceNumber

    /// - Parameter floor: the newest number there is; what comes after it is kept.
    public init(after floor: SequenceNumber) { self.floor = floor }

    public var first: SequenceNumber? { messages.first?.sequence }
    public var last: SequenceNumber? { messages.last?.sequence }

    /// Takes the next message there is; one that is no newer than those kept is passed over.
    public mutating func append(_ message: Message) {
        guard message.sequence > last ?? floor else { return }
        messages.append(message)
        bytes += message.body.approximateBytes
        trimIfLarge()
    }

    /// Puts older messages in front where they join on, as far as the tail's size allows.
    ///
    /// - Parameters:
    ///   - older: in the order of their numbers; all that exist above `start` up to `end`.
    public mutating func prepend(_ older: [Message], after start: SequenceNumber, upTo end: SequenceNumber) {
        guard start < floor, floor <= end else { return }
        let missing = older.filter { $0.sequence > start && $0.sequence <= floor }
        messages.insert(contentsOf: missing, at: 0)
        bytes += missing.reduce(0) { $0 + $1.body.approximateBytes }
        floor = start
        trimIfLarge()
    }

    /// The message of this number, when it is kept.
    public func message(_ sequence: SequenceNumber) -> Message? {
        guard let first, let last, first <= sequence, sequence <= last else { return nil }
        let index = firstIndex(above: sequence - 1)
        guard messages.indices.contains(index), messages[index].sequence == sequence else { return nil }
        return messages[index]
    }

    /// Messages numbered above `sequence`; nil when some of them are not kept.
    ///
    /// - Parameter last: the newest number there is.
    public func after(_ sequence: SequenceNumber, upTo last: SequenceNumber) -> ArraySlice<Message>? {
        if sequence >= last { return [] }
        guard sequence >= floor else { return nil }
        return messages[firstIndex(above: sequence)...]
    }

    private func firstIndex(above sequence: SequenceNumber) -> Int {
        var (low, high) = (messages.startIndex, messages.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
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
        guard drop > 0 else { return }
        floor = messages[drop - 1].sequence
        messages.removeFirst(drop)
        bytes = rest
    }
}
