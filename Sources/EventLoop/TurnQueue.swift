/// Elements that a turn gathers to handle together. Two buffers change places, so that a turn allocates nothing.
///
/// Inlinable, because other modules use it in every turn.
@frozen
public struct TurnQueue<Element> {
    @usableFromInline var gathered: [Element] = []
    @usableFromInline var spare: [Element] = []

    @inlinable
    public init() {}

    @inlinable public var isEmpty: Bool { gathered.isEmpty }

    @inlinable
    public mutating func append(_ element: Element) { gathered.append(element) }

    /// Takes the gathered elements out; those added meanwhile form the next batch. Give the batch back when it is handled.
    @inlinable
    public mutating func take() -> [Element] {
        let batch = gathered
        gathered = spare
        spare = []
        return batch
    }

    /// Keeps a batch's memory for a later one, unless it was unusually large.
    @inlinable
    public mutating func recycle(_ batch: inout [Element]) {
        batch.removeAll(keepingCapacity: batch.count <= 1024)
        swap(&spare, &batch)
    }
}
