/// First in, first out, in amortised constant time.
///
/// Inlinable, because other modules use it in every turn.
@frozen
public struct FIFO<Element> {
    @usableFromInline var items: [Element] = []
    @usableFromInline var head = 0

    @inlinable
    public init() {}

    @inlinable public var count: Int { items.count - head }
    @inlinable public var isEmpty: Bool { count == 0 }

    @inlinable
    public mutating func append(_ element: Element) { items.append(element) }

    @inlinable
    public mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        let element = items[head]
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: head <= 4096)
            head = 0
        } else if head >= 1024, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    /// The element at `offset` from the front.
    @inlinable
    public subscript(offset: Int) -> Element {
        get { items[head + offset] }
        set { items[head + offset] = newValue }
    }
}
